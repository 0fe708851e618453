"""The weekly report: an owner gets one letter a week where something needs attention, and none otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from mailer.actions.campaigns.pause_resume_cancel import pause
from mailer.actions.inbound.record_bounce import record_feedback
from mailer.actions.maintenance.purge import purge
from mailer.actions.maintenance.weekly_report import send_weekly_reports
from mailer.app import App
from mailer.domain.bounce import BounceReason, DsnAction, FeedbackKind, RecipientBounce, Severity
from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.mail.compose.notice_paragraphs import Paragraph, ParagraphStyle
from mailer.mail.compose.sanitize_reply import MOST_CHARACTERS, sanitize_reply
from mailer.store import campaign_progress
from mailer.store.incoming_mails import IncomingState
from mailer.store.people_tables import incoming
from tests.support.app_helpers import (
    ADA,
    ADMIN,
    BEA,
    EMMA,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    parse_letter,
    send_campaigns,
    send_notices,
    text_of,
)
from tests.support.fake_relay import FakeRelay
from tests.support.fake_relay_session import ReceivedLetter

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
BLOCKED = f"554 5.7.1 <{ROSA}> blocked, see https://bl.example.net/why"


async def come_back(
    app: App, number: int, kind: FeedbackKind, weight: Severity, reason: BounceReason, said: str = "550 no"
) -> None:
    of = RecipientBounce(
        address="", action=DsnAction.FAILED, status=None, diagnostic=said, severity=weight, reason=reason
    )
    values: dict[str, Any] = {"complaint": None, "channel": "mail", "message_id": None, "at": app.clock()}
    await record_feedback(app, [DeliveryFeedback(delivery_id=number, address=None, kind=kind, bounce=of, **values)])


async def letters(app: App, relay: FakeRelay) -> list[ReceivedLetter]:
    """The reports that were sent so far."""
    before = len(relay.letters)
    await send_weekly_reports(app)
    await send_notices(app)
    return relay.letters[before:]


async def break_on(app: App, clock: Clock, *recipients: str) -> None:
    """A mail to these was parked."""

    def work(tx: Connection) -> None:
        tx.execute(
            insert(incoming).values(
                sender=ROSA,
                recipients=[f"{one}@lists.example.org" for one in recipients],
                raw=b"",
                state=IncomingState.PARKED,
                received_at=clock.now,
                request={},
            )
        )

    await app.database.write(work)


async def test_an_owner_gets_one_report_a_week_on_what_needs_attention(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)
    await open_list(app, "walks")
    await import_rows(app, f"{ROSA},,", f"{EMMA},,", f"{BEA},,")
    relay.answers("rcpt", "550 5.7.1 not for her", address=BEA)
    campaign_id = await launch_campaign(app)
    await send_campaigns(app)
    lines = await app.database.read(campaign_progress.list_recipients, campaign_id, 0, 10)
    number = {one.address: one.id for one in lines}
    await come_back(app, number[ROSA], FeedbackKind.BOUNCE, Severity.SENDER_SIDE, BounceReason.BLOCKED, BLOCKED)
    await come_back(app, number[EMMA], FeedbackKind.COMPLAINT, Severity.IGNORE, BounceReason.SPAM_COMPLAINT)
    await come_back(app, number[BEA], FeedbackKind.BOUNCE, Severity.HARD, BounceReason.UNKNOWN_USER)
    held = await launch_campaign(app)
    await pause(app, ADMIN, held)
    await break_on(app, clock, "appeals-owner")
    await break_on(app, clock, "bounce+abc", "postmaster")

    assert await letters(app, relay) == []
    clock.advance(days=6, hours=15)
    assert await letters(app, relay) == [], "Sunday"
    clock.advance(hours=1)
    reports = await letters(app, relay)

    assert [one.recipient for one in reports] == [ADA]
    assert parse_letter(reports[0])["Subject"] == "Open Appeals: what needs you this week"
    text = " ".join(text_of(reports[0]).split())
    assert "from 2027-03-01 to 2027-03-07" in text
    assert "example.org, blocked: 1 554 5.7.1 <…> blocked, see https: //bl.example.net/why" in text
    assert "reported a letter as spam: 1" in text
    assert "came back from, and that get no more: 1" in text
    assert f"- {held}: Come to the harvest forum" in text
    assert f"- {campaign_id}: Come to the harvest forum (failed: 1, unknown: 0)" in text
    assert "could not read: 1" in text
    clock.advance(days=1)
    await purge(app)
    assert await letters(app, relay) == []
    clock.advance(days=6)
    assert [one.recipient for one in await letters(app, relay)] == [ADA], "it stands still yet"


@SQLITE
async def test_without_anything_to_report_no_letter_is_sent(app: App, relay: FakeRelay, clock: Clock) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},,")
    await launch_campaign(app)
    await send_campaigns(app)
    clock.advance(days=8)

    assert await letters(app, relay) == []


@example_settings(max_examples=50)
@given(st.lists(st.sampled_from(["https://bl.example", "HTTPS:", "//", "rosa@example.org", " ", "\n"]) | st.text()))
def test_a_reply_is_one_line_without_addresses_and_links(said: list[str]) -> None:
    words = sanitize_reply("".join(said))

    assert len(words) <= MOST_CHARACTERS
    assert "\n" not in words
    assert [run for run in Paragraph(ParagraphStyle.QUOTE, words).runs if run.target] == []
