"""Every letter that leaves is signed by whoever signs for its domain, and repeats are the same octets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from mailer.app import App
from mailer.mail.dkim.dns_record import format_key_record
from mailer.mail.dkim.signing import Signer
from tests.support.app_helpers import (
    ADA,
    DOMAIN,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    parse_letter,
    receive_person_mail,
    send_campaigns,
)
from tests.support.fake_relay import FakeRelay
from tests.support.fake_relay_session import ReceivedLetter

KEY = generate_private_key(public_exponent=65537, key_size=2048)
OURS = Signer(domain=DOMAIN, selector="ours", key=KEY)
OTHERS = Signer(domain="example.net", selector="others", key=KEY)


@pytest.fixture
def clock() -> Clock:
    """In the past: the verifier has a clock of its own, and believes no signature from the future."""
    clock = Clock()
    clock.now = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    return clock


@pytest.fixture
def signing(app: App) -> App:
    """The service with keys of two domains."""
    return replace(app, signers=(OTHERS, OURS))


def believed(letter: ReceivedLetter) -> bool:
    """Whether a receiver who looks our key up believes the letter as it came over the wire."""

    def published(name: bytes, timeout: int = 5) -> bytes | None:
        return format_key_record(OURS).encode() if name.decode().rstrip(".") == OURS.record_name else None

    return bool(dkim.verify(letter.content, dnsfunc=published))


async def test_a_campaign_a_notice_and_a_mail_carried_on_are_all_believed(signing: App, relay: FakeRelay) -> None:
    await open_list(signing)
    await import_rows(signing, f"{ROSA},Rosa,de")
    await launch_campaign(signing)
    await send_campaigns(signing)
    await receive_person_mail(signing, "appeals-help")
    await receive_person_mail(signing, "appeals", body="Two  rows\tof beans? \r\n\r\n\r\n")

    campaign, notice, carried_on = relay.letters
    assert [letter.recipient for letter in relay.letters] == [ROSA, ROSA, ADA]
    assert [believed(letter) for letter in relay.letters] == [True, True, True]
    assert "Feedback-ID" in parse_letter(campaign)
    assert parse_letter(notice)["Auto-Submitted"] == "auto-replied"
    assert b"Two  rows" in carried_on.content


async def test_a_letter_whose_fate_is_unknown_goes_again_with_the_same_signature(
    signing: App, again: Callable[[], App], relay: FakeRelay, clock: Clock
) -> None:
    await open_list(signing)
    await import_rows(signing, f"{ROSA},Rosa,en")
    await launch_campaign(signing)
    relay.drops("dot", nth=1)
    await send_campaigns(signing)
    clock.advance(hours=1)

    await send_campaigns(replace(again(), signers=(OURS,)))

    first, second = relay.letters
    assert first.content == second.content
    assert believed(second)


async def test_without_a_key_for_the_domain_letters_go_unsigned(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    await launch_campaign(app)

    await send_campaigns(replace(app, signers=(OTHERS,)))

    [letter] = relay.letters
    assert "DKIM-Signature" not in parse_letter(letter)
