"""Of which letter a mail tells that it came back: only what we signed says so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.domain.bounce import FeedbackKind, Severity
from mailer.domain.command_address import CommandAddress, parse_local_part
from mailer.domain.keyring import Keyring
from mailer.domain.site import Site
from mailer.domain.token import Purpose, sign_token
from mailer.mail.bounces.match_delivery import match_feedback
from tests.support.bounce_mails import bounce

HOUSE = Site(
    name="Open Letters",
    domain="lists.example.org",
    url="https://lists.example.org",
    owner="owner@example.net",
    keyring=Keyring(b"p" * 32, ((1, b"k" * 32),)),
)
NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
TOKEN = HOUSE.bounce_token(7)
REPORT = """\
From: fbl@example.net
Subject: A complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="=_b"

--=_b
Content-Type: message/feedback-report

Feedback-Type: abuse
Version: 1
{said}

--=_b--
"""


def parse_command_address(local: str) -> CommandAddress:
    return parse_local_part(local)


@pytest.mark.parametrize("word", [TOKEN, TOKEN.upper(), f"<bounce+{TOKEN}@lists.example.org>", f"bounce={TOKEN}=x"])
def test_a_return_path_is_found_however_it_is_written(word: str) -> None:
    told = match_feedback(
        REPORT.format(said=f"Original-Mail-From: {word}").encode(), HOUSE, parse_command_address("abuse"), NOW
    )

    assert told is not None
    assert told.feedback is not None
    assert (told.feedback.delivery_id, told.feedback.complaint) == (7, "abuse")


@given(st.integers(0, 28), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
@settings(max_examples=40)
def test_an_altered_token_names_no_letter(place: int, letter: str) -> None:
    forged = TOKEN[:place] + letter + TOKEN[place + 1 :]

    told = match_feedback(
        REPORT.format(said=f"Original-Mail-From: <bounce+{forged}@x>").encode(),
        HOUSE,
        parse_command_address("cfbl"),
        NOW,
    )

    assert told is not None
    assert (told.feedback is None) == (forged != TOKEN)


def test_a_token_made_for_another_purpose_names_no_letter() -> None:
    leave = sign_token(HOUSE.keyring, Purpose.LEAVE, 7)

    for place in ("cfbl", f"cfbl+{leave}", f"bounce+{leave}"):
        told = match_feedback(
            REPORT.format(said=f"Original-Mail-From: <{leave}@x>").encode(), HOUSE, parse_command_address(place), NOW
        )
        assert told is not None
        assert told.feedback is None


@given(st.binary(max_size=300), st.sampled_from(["cfbl", "abuse", f"bounce+{TOKEN}", "bounce+none", f"cfbl+{TOKEN}"]))
@settings(max_examples=60)
def test_octets_at_all_are_read_and_only_an_address_tells_of_a_letter(raw: bytes, local: str) -> None:
    told = match_feedback(raw, HOUSE, parse_command_address(local), NOW)

    assert told is not None
    assert told.feedback is None or told.feedback.delivery_id == 7


def test_a_bounce_is_the_readers_whoever_is_named_in_it() -> None:
    told = match_feedback(bounce("mallory@example.com"), HOUSE, parse_command_address(f"bounce+{TOKEN}"), NOW)

    assert told is not None
    assert told.feedback is not None
    assert told.feedback.bounce is not None
    assert (told.kind, told.feedback.delivery_id) == (FeedbackKind.BOUNCE, 7)
    assert told.feedback.bounce.severity is Severity.HARD


def test_nothing_comes_back_to_an_address_for_people() -> None:
    assert match_feedback(bounce("rosa@example.org"), HOUSE, parse_command_address("appeals"), NOW) is None
