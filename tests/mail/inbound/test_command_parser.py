"""Commands in plain words, in ten languages: loosely where commands are expected, strictly where people write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.address import Address
from mailer.mail.inbound.command_parser import ParsedCommand, parse_commands
from mailer.mail.inbound.command_words import CommandName
from mailer.mail.inbound.parse_mail import InboundMail
from tests.support.phrases_by_language import COMMANDS, NOT_COMMANDS
from tests.support.reply_texts import FORWARD, LEAVE


def make_mail(subject: str = "", body: str = "") -> InboundMail:
    return InboundMail(
        sender=Address("rosa@example.org"),
        sender_name=None,
        automatic_mark=None,
        subject=subject,
        message_id=None,
        language=None,
        reply_text=body,
        is_blank=not body,
        is_reply=False,
    )


def spelled(found: tuple[ParsedCommand, ...]) -> list[str]:
    return [f"{one.name} {one.argument}" if one.argument else str(one.name) for one in found]


@pytest.mark.parametrize("language", COMMANDS)
def test_a_command_alone_on_a_line_is_parsed_strictly_and_loosely(vocabulary, language):
    for line, command in COMMANDS[language].items():
        for strict in (True, False):
            for mail in (make_mail(line), make_mail("Re: harvest", line), make_mail("Re: harvest", f"{line}\n\nRosa")):
                assert spelled(parse_commands(mail, vocabulary, strict=strict))[:1] == [command], (line, strict)


@pytest.mark.parametrize("language", NOT_COMMANDS)
def test_text_that_only_sounds_like_a_command_is_none_when_parsed_strictly(vocabulary, language):
    for line in NOT_COMMANDS[language]:
        for mail in (make_mail(line), make_mail("Re: harvest", line), make_mail("Re: harvest", f"{line}\nstop")):
            assert parse_commands(mail, vocabulary, strict=True) == (), line


@pytest.mark.parametrize("language", LEAVE)
def test_a_request_for_no_more_mail_is_parsed_strictly_and_loosely(vocabulary, language):
    for words in LEAVE[language]:
        for strict in (True, False):
            for mail in (make_mail("Re: harvest", words), make_mail("", f"{words}\n\nRosa")):
                assert spelled(parse_commands(mail, vocabulary, strict=strict)) == ["unsubscribe"], (words, strict)


@pytest.mark.parametrize("language", FORWARD)
def test_text_that_does_not_ask_to_leave_does_not_unsubscribe(vocabulary, language):
    for words in FORWARD[language]:
        for mail in (
            make_mail("Re: harvest", words),
            make_mail(words),
            make_mail("Re: harvest", f"Hello Ada,\n{words}\nstop"),
        ):
            assert parse_commands(mail, vocabulary, strict=True) == (), words


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    "words", ["remove {} from your list", "Bitte <{}> abmelden", "unsubscribe mailto:{}", "{} 退订"]
)
def test_the_authors_own_address_may_stand_in_a_command_but_no_other(vocabulary, words, strict):
    own, other = (make_mail("", words.format(address)) for address in ("Rosa@example.org", "emma@example.org"))
    work = make_mail("", words.format("rosa@work.example"))

    assert spelled(parse_commands(own, vocabulary, strict=strict)) == ["unsubscribe"]
    assert parse_commands(other, vocabulary, strict=strict) == parse_commands(work, vocabulary, strict=strict) == ()
    assert spelled(parse_commands(work, vocabulary, strict=strict, person=Address("rosa@work.example"))) == [
        "unsubscribe"
    ]


@pytest.mark.parametrize(
    ("subject", "body", "found"),
    [
        ("Re: AW: Join TR", "", [ParsedCommand(CommandName.SUBSCRIBE, "en", "tr")]),
        ("join de-at", "", [ParsedCommand(CommandName.SUBSCRIBE, "en", "de-at")]),
        ("join german", "", [ParsedCommand(CommandName.SUBSCRIBE, "en", "de")]),
        ("subscribe appeals", "", [ParsedCommand(CommandName.SUBSCRIBE, "en", "appeals")]),
        ("subscribe my-appeals, please", "", [ParsedCommand(CommandName.SUBSCRIBE, "en", "my-appeals")]),
        ("subscribe address=emma@example.org", "", [ParsedCommand(CommandName.SUBSCRIBE, "en")]),
        ("Unsubscribe!", "join", [ParsedCommand(CommandName.UNSUBSCRIBE, "en")]),
        ("[Open Appeals] Ynt: ayrıl", "", [ParsedCommand(CommandName.UNSUBSCRIBE, "tr")]),
        ("stop", "", [ParsedCommand(CommandName.UNSUBSCRIBE, None)]),
        ("", "Hello,\n\nhelp\n", [ParsedCommand(CommandName.HELP, "en")]),
        ("", "Hello Ada\nplease unsubscribe me, I have moved", [ParsedCommand(CommandName.UNSUBSCRIBE, "en")]),
        ("the list", "a\nb\nleave", [ParsedCommand(CommandName.UNSUBSCRIBE, "en")]),
        ("the list", "a\nb\nc\nd\ne\njoin", []),
        ("joining", "joint helper", []),
        ("language klingon", "", []),
        ("", "", []),
    ],
)
def test_loose_parsing_accepts_a_line_that_begins_with_a_command(vocabulary, subject, body, found):
    assert list(parse_commands(make_mail(subject, body), vocabulary, strict=False)) == found


def test_several_commands_on_several_lines_are_all_found_in_order(vocabulary):
    body = "language tr\nsubscribe\n\nhelp\nwhich\nend\nunsubscribe"

    assert spelled(parse_commands(make_mail("my commands", body), vocabulary, strict=False)) == [
        "language tr",
        "subscribe",
        "which",
    ]
    assert spelled(parse_commands(make_mail("Re: x", body), vocabulary, strict=True)) == [
        "language tr",
        "subscribe",
        "which",
    ]


@pytest.mark.parametrize("ending", ["end", "END.", "--"])
def test_nothing_after_end_is_a_command(vocabulary, ending):
    assert spelled(parse_commands(make_mail("x", f"info\n{ending}\nunsubscribe"), vocabulary, strict=False)) == ["info"]


def test_help_counts_only_if_there_is_no_other_command(vocabulary):
    assert spelled(parse_commands(make_mail("x", "help\nhelp"), vocabulary, strict=False)) == ["help"]
    assert spelled(parse_commands(make_mail("x", "help\ninfo"), vocabulary, strict=False)) == ["info"]


def test_strict_parsing_skips_the_subject_of_a_reply(vocabulary):
    assert parse_commands(make_mail("Re: unsubscribe", "I am coming."), vocabulary, strict=True) == ()
    assert spelled(parse_commands(make_mail("unsubscribe", "I am coming."), vocabulary, strict=True)) == ["unsubscribe"]


def test_strict_parsing_stops_where_prose_begins(vocabulary):
    assert spelled(
        parse_commands(make_mail("Re: x", "Thanks!\nstop\nThe beans are ripe\nhelp"), vocabulary, strict=True)
    ) == ["unsubscribe"]


def test_a_token_may_stand_after_confirm(vocabulary):
    token = "a2b3" * 7 + "c"

    assert parse_commands(make_mail(f"confirm {token}"), vocabulary, strict=True) == (
        ParsedCommand(CommandName.CONFIRM, "en", token),
    )
    assert parse_commands(make_mail("confirm the harvest"), vocabulary, strict=True) == ()


@given(
    subject=st.text(max_size=60),
    body=st.text(max_size=200)
    | st.lists(st.sampled_from(["stop", "please", " ", "\n", "help", "language", "tr", "退订", "لا", "?"])).map(
        "".join
    ),
    strict=st.booleans(),
)
def test_any_text_is_parsed_to_at_most_five_commands(vocabulary, subject, body, strict):
    assert len(parse_commands(make_mail(subject, body), vocabulary, strict=strict)) <= 5
