"""Orphaned deliveries are requeued once an hour, and reported by the doctor."""

from __future__ import annotations

from sqlalchemy import Connection, delete
from structlog.testing import capture_logs

from mailer.actions.campaigns.report import campaign_status
from mailer.actions.maintenance.check_deliveries import check_deliveries
from mailer.actions.maintenance.requeue_orphans import requeue_orphans
from mailer.app import App
from mailer.domain.campaign import CampaignState
from mailer.store.queue import claims, workers
from mailer.store.queue.queue_tables import claim
from tests.support.app_helpers import (
    ADMIN,
    BEA,
    EMMA,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    recipients,
    send_campaigns,
)
from tests.support.fake_relay import FakeRelay


async def lose_two(app: App, campaign_id: int) -> None:
    """A fault: what a living worker claimed is in nobody's claim any more."""

    def lose(tx: Connection) -> None:
        mine = workers.register(tx, "lost", app.clock())
        claims.claim_deliveries(tx, campaign_id, mine, 2, app.clock())
        tx.execute(delete(claim))

    await app.database.write(lose)


async def report(app: App) -> list[tuple[str, str]]:
    return [(one.check, one.status.value) for one in await check_deliveries(app.database, app.clock())]


async def test_orphans_are_reported_and_sent_and_the_next_check_is_an_hour_later(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},,en", f"{EMMA},,en", f"{BEA},,en")
    campaign_id = await launch_campaign(app)
    before = await report(app), await requeue_orphans(app)
    await lose_two(app, campaign_id)
    await send_campaigns(app)
    wrongly = (await campaign_status(app, ADMIN, campaign_id)).campaign.state, recipients(relay)

    found, early = await report(app), await requeue_orphans(app)
    clock.advance(minutes=61)
    with capture_logs() as logs:
        number = await requeue_orphans(app)
    rung = app.wakeups.campaigns.is_set()
    await send_campaigns(app)

    assert before == ([("deliveries", "ok")], 0)
    assert wrongly == (CampaignState.SENT, [BEA])
    assert (found, early) == ([(f"deliveries of campaign {campaign_id}", "fail")], 0)
    assert (number, rung) == (2, True)
    assert [(line["log_level"], line["campaign"], line["deliveries"]) for line in logs] == [
        ("error", campaign_id, [1, 2])
    ]
    assert sorted(recipients(relay)) == sorted((ROSA, EMMA, BEA))
    assert (await campaign_status(app, ADMIN, campaign_id)).campaign.state is CampaignState.SENT
    assert await report(app) == [("deliveries", "ok")]
