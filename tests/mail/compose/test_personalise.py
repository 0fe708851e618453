"""One reader's copy of a campaign's letter."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.domain.site import ListIdentity
from mailer.domain.token import Purpose, read_token
from mailer.errors import AddressRefused
from mailer.mail.compose.merge_field import clean_value
from mailer.mail.compose.personalise import personalise
from mailer.mail.message.letter import Letter, decode_part
from tests.support.letter_checks import SentLetter, check_letter
from tests.support.list_letter_checks import check_campaign_letter, check_list_letter, check_reason

INVITATION = """---
subject: '{{ name or "Friend" }}, come'
lead: In {{ city or "your town" }}.
action: {label: 'Yes, {{ name or "I" }} come', url: 'https://forum.example.org/?town={{ city or "" }}'}
---
Dear **{{ name or "friend" }}**{{ city or "" }}{{ name or "" }}.

- `{{ city or "town" }}`
"""
PLAIN = "---\nsubject: Tea\n---\nDear {{ name or 'friend' }}|{{ city or 'town' }}|\n"
HOSTILE = st.text(st.characters(), max_size=260) | st.sampled_from(
    ["\r\nBcc: mallory@example.org", "\r\n.\r\n", "<script>", "\x00", "=?utf-8?q?x?=", "--=_", "{{ 7*7 }}", "\ud800"]
)


def seen(letter: Letter, part: str) -> str:
    """The "text" or "html" that a reader sees, with "\\n" line ends."""
    return decode_part(letter, part).replace("\r\n", "\n")


def parsed(letter: Letter) -> EmailMessage:
    message = message_from_bytes(letter.content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_letter_names_its_sender_and_the_addresses_for_replies(composed, rosa):
    letter = personalise(composed(INVITATION), rosa)
    message = parsed(letter)

    assert message["From"] == "Open Appeals <appeals@lists.example.org>"
    assert message["To"] == "rosa@example.org"
    assert message["Subject"] == "Rosa, come"
    assert message["Date"] == "Tue, 01 Dec 2026 08:00:00 +0000"
    assert message["List-Id"] == '"Open Appeals" <appeals.lists.example.org>'
    assert message["List-Help"] == "<mailto:appeals-help@lists.example.org>"
    assert message["List-Owner"] == "<mailto:appeals-owner@lists.example.org>"
    assert message["List-Subscribe"] == "<https://lists.example.org/join/appeals>"
    assert message["List-Post"] == "NO"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Feedback-ID"] == "42:appeals:campaign:lists.example.org"
    assert message["Precedence"] == "bulk"
    assert message["CFBL-Address"] == "cfbl@lists.example.org; report=arf"
    keyring = composed(INVITATION).list_identity.site.keyring
    assert read_token(keyring, Purpose.COMPLAINT, message["CFBL-Feedback-ID"]) == 7
    assert "Auto-Submitted" not in message


def test_an_unsigned_letter_has_no_complaint_address_and_is_complete(composed, list_identity, rosa):
    unsigned = replace(list_identity, site=replace(list_identity.site, signed=False))
    message = parsed(personalise(composed(PLAIN, list_identity=unsigned), rosa))
    signed = parsed(personalise(composed(PLAIN), rosa))

    assert [name for name, _ in signed.items() if not name.startswith("CFBL-")] == message.keys()
    assert message.get_content_type() == "multipart/alternative"


def test_both_unsubscribe_addresses_name_this_subscription(composed, list_identity, rosa):
    ways = parsed(personalise(composed(PLAIN), rosa))["List-Unsubscribe"]

    match = re.fullmatch(
        r"<https://lists\.example\.org/leave/(\w+)>, <mailto:appeals-leave\+(\w+)@lists\.example\.org>", ways
    )
    assert match is not None
    assert [read_token(list_identity.site.keyring, Purpose.LEAVE, token) for token in match.groups()] == [3, 3]


def test_the_envelope_is_the_readers_and_its_return_path_names_the_delivery(composed, list_identity, rosa):
    letter = personalise(composed(PLAIN), rosa)

    assert letter.recipient == "rosa@example.org"
    assert letter.return_path == list_identity.site.return_path(7)
    assert parsed(letter)["Message-ID"] == list_identity.site.message_id(7)


def test_readers_without_values_get_the_fallbacks(composed, rosa):
    letter = personalise(composed(INVITATION), replace(rosa, name=None, attributes={}))

    assert parsed(letter)["Subject"] == "Friend, come"
    assert "Dear friend." in seen(letter, "text")
    assert "In your town." in seen(letter, "text")


def test_every_reader_gets_their_own_values_and_unsubscribe_link(composed, rosa):
    emma = replace(rosa, delivery_id=8, subscription_id=4, address="emma@example.org", name="Emma", attributes={})
    once = composed(INVITATION)

    to_rosa, to_emma = personalise(once, rosa), personalise(once, emma)

    assert b"Rosa" not in to_emma.content
    assert b"Emma" not in to_rosa.content
    assert parsed(to_rosa)["List-Unsubscribe"] != parsed(to_emma)["List-Unsubscribe"]
    assert parsed(to_rosa)["Message-ID"] != parsed(to_emma)["Message-ID"]


def test_the_same_delivery_is_the_same_letter_to_the_last_octet(composed, rosa):
    elsewhere = rosa.dated_at.astimezone(ZoneInfo("Asia/Tokyo"))

    first = personalise(composed(INVITATION), rosa)
    again = personalise(composed(INVITATION), replace(rosa, dated_at=elsewhere))

    assert first == again


def test_a_long_name_is_cut_and_the_subject_stays_a_subject(composed, rosa):
    letter = personalise(composed(INVITATION), replace(rosa, name="Ö" * 300))

    assert parsed(letter)["Subject"] == "Ö" * 149 + "…"
    assert f"Dear {'Ö' * 200}Köln" in seen(letter, "text")


@pytest.mark.parametrize("address", ["rosa@example.org\r\nBcc: x@example.org", "rosa example.org", "rösa@example.org"])
def test_an_address_that_would_break_the_header_is_refused(composed, rosa, address):
    with pytest.raises(AddressRefused):
        personalise(composed(PLAIN), replace(rosa, address=address))


@pytest.mark.parametrize("title", ["Öffentliche Aufrufe", "نداءات مفتوحة", 'The "Open" \\ Appeals', "Long " * 30])
def test_any_list_title_makes_a_valid_header(composed, list_identity, rosa, title):
    named = ListIdentity(site=list_identity.site, mailing_list=replace(list_identity.mailing_list, title=title))

    letter = personalise(composed(PLAIN, list_identity=named), rosa)

    assert parsed(letter)["From"].addresses[0].addr_spec == "appeals@lists.example.org"
    assert parsed(letter)["List-Id"].endswith("<appeals.lists.example.org>")
    assert "because you subscribed to" in seen(letter, "text")
    assert_sound(letter)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=HOSTILE, city=HOSTILE)
def test_no_value_breaks_a_letter(composed, rosa, name, city):
    letter = personalise(composed(INVITATION), replace(rosa, name=name, attributes={"city": city}))

    assert_sound(letter)
    assert [part.get_content_type() for part in parsed(letter).walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    html = seen(letter, "html")
    assert not re.search(r"(?i)<(script|iframe|form)\b", html)
    assert "Bcc" not in parsed(letter)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=HOSTILE, city=HOSTILE)
def test_every_value_is_read_as_it_was_given_but_for_control_characters(composed, rosa, name, city):
    letter = personalise(composed(PLAIN), replace(rosa, name=name, attributes={"city": city}))

    expected = f"Dear {clean_value(name) or 'friend'}|{clean_value(city) or 'town'}|"
    assert expected in seen(letter, "text")


def assert_sound(letter: Letter) -> None:
    """ASCII, CRLF, lines that fit, and nothing that a reader of mail stumbles over."""
    head, _, body = letter.content.partition(b"\r\n\r\n")
    assert not re.search(rb"[^ -~\r\n]|(?<!\r)\n|\r(?!\n)", letter.content)
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert max(map(len, head.split(b"\r\n"))) <= 100
    assert not [defect for part in parsed(letter).walk() for defect in part.defects]


@pytest.mark.parametrize("language", ["en", "de", "tr", "ar", "zh"])
@pytest.mark.parametrize("name", [None, "Rosa", "Müjgân", '<script>"&\r\n', "x" * 300])
@pytest.mark.parametrize("text", [INVITATION, PLAIN])
def test_a_letter_is_what_receivers_of_bulk_mail_ask_for(composed, rosa, text, name, language):
    reader = replace(rosa, name=name, dated_at=datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin")))
    letter = personalise(composed(text, language=language), reader)

    sent = SentLetter(letter.content, letter.return_path, letter.recipient)

    assert check_letter(sent) + check_list_letter(sent) + check_campaign_letter(sent) == []
    assert language != "en" or check_reason(sent) == []
