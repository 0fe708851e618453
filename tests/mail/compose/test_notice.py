"""Notices: their text, their links, their header and envelope."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.delivery import Delivery, Kind
from mailer.domain.keyring import Keyring
from mailer.domain.mailing_list import MailingList
from mailer.domain.site import ListIdentity, Site
from mailer.domain.token import Purpose, read_token
from mailer.errors import NotFound
from mailer.mail.compose.notice import compose_notice
from mailer.mail.compose.templates import Templates
from mailer.mail.markdown.line_breaking import display_width
from mailer.mail.message.letter import Letter
from tests.support.letter_checks import SentLetter, check_letter
from tests.support.list_letter_checks import check_list_letter, check_notice

ROOT = Path(__file__).parents[3]
TEMPLATES = Templates(ROOT / "templates", ROOT / "mailer" / "locale")
KEYRING = Keyring(b"p" * 32, ((1, b"k" * 32),))
DOMAIN = "lists.example.org"
SITE = Site(name="Harvest Letters", domain=DOMAIN, url=f"https://{DOMAIN}", owner="ada@example.org", keyring=KEYRING)
APPEALS = MailingList(
    id=1,
    name="appeals",
    title="Open Appeals",
    description="Calls to the harvest forum, twice a month.",
    language="en",
    owner="ada@example.org",
)
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
TO_ROSA = Delivery(
    id=7,
    campaign_id=0,
    kind=Kind.CONFIRM,
    mailing_list_id=1,
    subscription_id=42,
    revision_id=None,
    suppression_key="key",
    address="Rosa@example.com",
    name=None,
    language="en",
    values={},
    attempts=0,
    resends=0,
    queued_at=NOON,
    dated_at=None,
)
KINDS = (Kind.CONFIRM, Kind.ALREADY_SUBSCRIBED, Kind.WELCOME, Kind.GOODBYE, Kind.HELP)
TITLES = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=200)


def compose(delivery: Delivery, mailing_list: MailingList | None = APPEALS, dated_at: datetime = NOON) -> Letter:
    list_identity = ListIdentity(site=SITE, mailing_list=mailing_list) if mailing_list else None
    return compose_notice(delivery, list_identity, SITE, TEMPLATES, dated_at)


def read(letter: Letter) -> tuple[EmailMessage, str, str]:
    """The message, its plain text and its HTML."""
    message = message_from_bytes(letter.content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    text, html = message.iter_parts()
    return message, text.get_content().replace("\r\n", "\n"), html.get_content().replace("\r\n", "\n")


def link_in(text: str, page: str) -> str:
    """The token of the one link to a page of ours."""
    (token,) = re.findall(rf"https://lists\.example\.org/{page}/(\w+)$", text, re.MULTILINE)
    return str(token)


def test_a_confirmation_can_be_given_by_reply_or_by_link_and_both_name_the_subscription():
    message, text, html = read(compose(TO_ROSA))

    assert message["Subject"] == "Please confirm: Open Appeals"
    reply_to = re.fullmatch(r"appeals-confirm\+(\w+)@lists\.example\.org", message["Reply-To"])
    assert reply_to is not None
    assert read_token(KEYRING, Purpose.CONFIRM, reply_to[1]) == 42
    assert read_token(KEYRING, Purpose.CONFIRM, link_in(text, "confirm")) == 42
    assert f'href="https://lists.example.org/confirm/{link_in(text, "confirm")}"' in html
    assert "Calls to the harvest forum" in text
    assert "14 days" in text


def test_a_confirmation_repeats_nothing_that_its_requester_typed():
    forged = replace(TO_ROSA, name="Mallory sells pills", values={"name": "Mallory sells pills"})

    assert compose(forged) == compose(TO_ROSA)


def test_an_invitation_speaks_of_an_invitation_and_not_of_a_request():
    message, text, _ = read(compose(replace(TO_ROSA, values={"invited": True})))

    assert message["Subject"] == "You are invited to Open Appeals"
    assert "asked to subscribe" not in text


@pytest.mark.parametrize(
    ("kind", "page", "purpose"),
    [
        (Kind.ALREADY_SUBSCRIBED, "leave", Purpose.LEAVE),
        (Kind.WELCOME, "leave", Purpose.LEAVE),
        (Kind.GOODBYE, "rejoin", Purpose.REJOIN),
    ],
)
def test_the_personal_link_of_a_notice_has_the_purpose_that_its_text_names(kind, page, purpose):
    _, text, html = read(compose(replace(TO_ROSA, kind=kind)))

    token = link_in(text, page)
    assert read_token(KEYRING, purpose, token) == 42
    assert token in html


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_welcome_offers_one_click_leaving(kind):
    message, _, _ = read(compose(replace(TO_ROSA, kind=kind)))

    offers = message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert offers == (kind is Kind.WELCOME) == ("List-Unsubscribe" in message)


def test_help_names_the_addresses_of_the_list():
    _, text, html = read(compose(replace(TO_ROSA, kind=Kind.HELP, subscription_id=None)))

    for command in ("join", "leave", "help", "owner"):
        assert f"appeals-{command}@lists.example.org" in text
        assert f'href="mailto:appeals-{command}@lists.example.org"' in html
    assert "https://lists.example.org/join/appeals\n" in text


def test_help_without_a_list_comes_from_the_postmaster_and_links_no_address_that_does_not_exist():
    general = replace(TO_ROSA, kind=Kind.HELP, mailing_list_id=None, subscription_id=None)

    message, text, html = read(compose(general, None))

    assert message["From"] == "Harvest Letters <postmaster@lists.example.org>"
    assert "List-Id" not in message
    assert "LIST-join@lists.example.org" in text
    assert re.findall(r'href="mailto:(\w+)', html) == ["postmaster"]


def test_a_notice_has_its_envelope_and_the_fields_that_keep_programs_from_answering():
    letter = compose(TO_ROSA)

    message, _, _ = read(letter)
    assert (letter.return_path, letter.recipient) == (SITE.return_path(7), "Rosa@example.com")
    assert (message["To"], message["Message-ID"]) == ("Rosa@example.com", SITE.message_id(7))
    assert (message["Auto-Submitted"], message["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    assert message["List-Id"] == "<appeals.lists.example.org>"


def test_a_notice_that_answers_a_letter_says_which():
    message, _, _ = read(compose(replace(TO_ROSA, values={"in_reply_to": "<join-1@example.com>"})))

    assert message["Auto-Submitted"] == "auto-replied"
    assert message["In-Reply-To"] == message["References"] == "<join-1@example.com>"


@pytest.mark.parametrize("forged", ["<a@b>\r\nBcc: bea@example.org", "<a@b> <c@d>", "a@b", "<ä@b>", f"<{'a' * 999}@b>"])
def test_an_invalid_message_id_is_not_repeated(forged):
    echoing = compose(replace(TO_ROSA, values={"in_reply_to": forged}))

    assert echoing == compose(TO_ROSA)


@pytest.mark.parametrize(
    ("own", "of_the_list", "expected"),
    [("tr", "de", "tr"), ("de-at", "tr", "de"), (None, "de", "de"), ("xx", "tr", "tr"), ("xx", "yy", "en")],
)
def test_a_notice_is_in_the_readers_language_else_the_lists_else_english(own, of_the_list, expected):
    letter = compose(replace(TO_ROSA, language=own), replace(APPEALS, language=of_the_list))

    message, _, html = read(letter)
    begins = {"en": "Please confirm", "de": "Bitte bestätigen Sie", "tr": "Lütfen onaylayın"}[expected]
    assert message["Subject"] == f"{begins}: Open Appeals"
    assert f'<html lang="{expected}" dir="ltr">' in html


def test_a_notice_in_arabic_runs_from_right_to_left_but_its_addresses_do_not():
    _, text, html = read(compose(replace(TO_ROSA, language="ar")))

    # On a table too: some mail programs take the html element away.
    assert html.count(' lang="ar" dir="rtl"') == 2
    assert "text-align:right" in html
    assert "padding-right:16px;border-right:3px" in html
    assert "left" not in html
    assert len(re.findall('<a class="link" dir="ltr" href="(?:https|mailto):', html)) == 2
    assert not re.search("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", text)


def test_a_notice_in_chinese_has_lines_that_end_where_sentences_allow_it():
    _, text, _ = read(compose(replace(TO_ROSA, language="zh")))

    lines = text.split("\n")
    assert max(display_width(line) for line in lines) <= 72
    assert not [line for line in lines if line[:1] in set("，。；：？！、》）”")]
    assert link_in(text, "confirm")


@pytest.mark.parametrize("kind", KINDS)
def test_a_notice_written_twice_has_the_same_octets(kind):
    delivery = replace(TO_ROSA, kind=kind, language="tr")
    in_berlin = NOON.astimezone(timezone(timedelta(hours=1)))

    assert compose(delivery) == compose(delivery, dated_at=in_berlin)
    assert b"\r\nDate: Sun, 01 Nov 2026 12:00:00 +0000\r\n" in compose(delivery).content
    assert compose(delivery) != compose(replace(delivery, id=8))


@pytest.mark.parametrize("kind", [Kind.CAMPAIGN, Kind.FORWARDED])
def test_kinds_that_are_composed_elsewhere_are_refused(kind):
    with pytest.raises(ValueError, match=kind):
        compose(replace(TO_ROSA, kind=kind))


@pytest.mark.parametrize("kind", [Kind.CONFIRM, Kind.ALREADY_SUBSCRIBED, Kind.WELCOME, Kind.GOODBYE])
def test_a_notice_about_a_subscription_is_not_written_without_one(kind):
    with pytest.raises(NotFound):
        compose(replace(TO_ROSA, kind=kind, subscription_id=None))
    with pytest.raises(NotFound):
        compose(replace(TO_ROSA, kind=kind), None)


@given(title=TITLES, description=TITLES, language=st.sampled_from(TEMPLATES.languages), kind=st.sampled_from(KINDS))
def test_whatever_a_list_is_called_its_notices_are_sound_mail(title, description, language, kind):
    named = replace(APPEALS, title=title, description=description)

    letter = compose(replace(TO_ROSA, kind=kind, language=language), named)

    assert letter.content.isascii()
    assert max(map(len, letter.content.split(b"\r\n"))) <= 200
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|^\.", letter.content, re.MULTILINE)
    message, text, _ = read(letter)
    assert not [defect for part in message.walk() for defect in part.defects]
    assert message["From"].addresses[0].addr_spec == "appeals@lists.example.org"
    for word in title.split():
        assert word in text.replace("\n", "")


def test_a_title_that_looks_like_html_stays_a_title():
    _, _, html = read(compose(TO_ROSA, replace(APPEALS, title='<img src="https://example.com/x">')))

    assert "<img" not in html
    assert "&lt;img" in html


@pytest.mark.parametrize("language", TEMPLATES.languages)
@pytest.mark.parametrize("kind", KINDS)
def test_a_notice_is_what_receivers_of_bulk_mail_ask_for(kind, language):
    letter = compose(replace(TO_ROSA, kind=kind, language=language))

    sent = SentLetter(letter.content, letter.return_path, letter.recipient)
    faults = check_letter(sent) + check_notice(sent)
    if kind is Kind.WELCOME:
        faults += check_list_letter(sent)
    else:
        faults += ["one click"] * sent.count("List-Unsubscribe-Post")
    if kind is Kind.CONFIRM:
        faults += ["no reply to confirm"] * ("confirm" not in sent.field("Reply-To"))

    assert faults == []
