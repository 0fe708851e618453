"""A bounce or complaint that came by mail is matched to a delivery only by a token that we signed."""

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

SITE = Site(
    name="Open Letters",
    domain="lists.example.org",
    url="https://lists.example.org",
    owner="owner@example.net",
    keyring=Keyring(b"p" * 32, ((1, b"k" * 32),)),
)
NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
TOKEN = SITE.bounce_token(7)
REPORT = """\
From: fbl@example.net
Subject: A complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="=_b"

--=_b
Content-Type: message/feedback-report

Feedback-Type: abuse
Version: 1
{field}

--=_b--
"""


def parse_command_address(local: str) -> CommandAddress:
    return parse_local_part(local)


@pytest.mark.parametrize("word", [TOKEN, TOKEN.upper(), f"<bounce+{TOKEN}@lists.example.org>", f"bounce={TOKEN}=x"])
def test_a_return_path_is_found_in_any_form(word: str) -> None:
    match = match_feedback(
        REPORT.format(field=f"Original-Mail-From: {word}").encode(), SITE, parse_command_address("abuse"), NOW
    )

    assert match is not None
    assert match.feedback is not None
    assert (match.feedback.delivery_id, match.feedback.complaint) == (7, "abuse")


@given(st.integers(0, 28), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
@settings(max_examples=40)
def test_an_altered_token_names_no_delivery(place: int, letter: str) -> None:
    forged = TOKEN[:place] + letter + TOKEN[place + 1 :]

    match = match_feedback(
        REPORT.format(field=f"Original-Mail-From: <bounce+{forged}@x>").encode(),
        SITE,
        parse_command_address("cfbl"),
        NOW,
    )

    assert match is not None
    assert (match.feedback is None) == (forged != TOKEN)


def test_a_token_for_another_purpose_names_no_delivery() -> None:
    leave = sign_token(SITE.keyring, Purpose.LEAVE, 7)

    for place in ("cfbl", f"cfbl+{leave}", f"bounce+{leave}"):
        match = match_feedback(
            REPORT.format(field=f"Original-Mail-From: <{leave}@x>").encode(), SITE, parse_command_address(place), NOW
        )
        assert match is not None
        assert match.feedback is None


@given(st.binary(max_size=300), st.sampled_from(["cfbl", "abuse", f"bounce+{TOKEN}", "bounce+none", f"cfbl+{TOKEN}"]))
@settings(max_examples=60)
def test_any_octets_are_parsed_and_only_a_token_names_a_delivery(raw: bytes, local: str) -> None:
    match = match_feedback(raw, SITE, parse_command_address(local), NOW)

    assert match is not None
    assert match.feedback is None or match.feedback.delivery_id == 7


def test_a_bounce_counts_for_the_deliverys_reader_whichever_address_it_names() -> None:
    match = match_feedback(bounce("mallory@example.com"), SITE, parse_command_address(f"bounce+{TOKEN}"), NOW)

    assert match is not None
    assert match.feedback is not None
    assert match.feedback.bounce is not None
    assert (match.kind, match.feedback.delivery_id) == (FeedbackKind.BOUNCE, 7)
    assert match.feedback.bounce.severity is Severity.HARD


def test_an_address_for_people_receives_no_feedback() -> None:
    assert match_feedback(bounce("rosa@example.org"), SITE, parse_command_address("appeals"), NOW) is None
