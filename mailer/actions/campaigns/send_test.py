"""Sends test letters of a campaign, and says what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailer.app import App
from mailer.domain.actor import Actor
from mailer.domain.delivery import DeliveryState


@dataclass(frozen=True, kw_only=True, slots=True)
class TestLetter:
    """One test letter, and what became of it."""

    __test__ = False  # pytest looks for classes of this name

    address: str
    language: str
    sent_at: datetime
    sent_by: str
    state: DeliveryState | None
    """None if that was deleted."""
    reply: str | None
    """The relay's words, or why the letter waits."""
    is_current: bool
    """Whether the edition still has the text of this letter."""


async def send_test(
    app: App, actor: Actor, campaign_id: int, to: Sequence[str], *, languages: Sequence[str] = ()
) -> int:
    """Queue a test letter of each edition (or of these) to each address; returns how many letters.

    Drafts are frozen to revisions. Test letters have `[Test]` before the subject, and no link in them changes a
    subscription. An organiser may send them to their own address, the list's testers and its owner; a command to any.
    Raises NotFound, NotPermitted, AddressRefused, WrongState without an address or a list of too many, and
    CampaignFileRefused with the language and line of the first error.
    """
    raise NotImplementedError


async def list_tests(app: App, actor: Actor, campaign_id: int) -> tuple[TestLetter, ...]:
    """The last 50 test letters of a campaign, the newest first. Raises NotFound, NotPermitted."""
    raise NotImplementedError
