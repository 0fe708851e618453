"""A database that a released version left while sending goes on: nobody is mailed twice or after leaving; links work.

Any migration that is added is tried by these, on each kept database.
"""

from __future__ import annotations

import asyncio
import smtplib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from mailer.actions.campaigns.pause_resume_cancel import resume
from mailer.actions.campaigns.report import campaign_status
from mailer.actions.subscriptions.show_person import show_person
from mailer.app import App
from mailer.domain.campaign import CampaignState
from mailer.store.backup.restore_backup import restore_backup
from mailer.store.backup.write_backup import ServiceFiles, back_up
from mailer.store.database import open_engine
from mailer.store.migration import migrate_database
from tests.support.app_helpers import ADMIN, DOMAIN, ROOT, Clock, make_app, parse_letter, recipients
from tests.support.bounce_mails import bounce
from tests.support.fake_relay import FakeRelay
from tests.support.released_databases import ALL_RELEASED, ReleasedDatabase, empty_postgresql, restore_released
from tests.support.running_service import RunningService, running_service

MIGRATIONS = ROOT / "migrations"
_OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}
ACROSS = [
    pytest.param(one.values[0], _OTHER[kind], id=f"from-{one.id}", marks=one.marks)
    for one in ALL_RELEASED
    for kind in [str(one.id).rpartition("-")[2]]
]
MORNING = datetime(2027, 3, 2, 8, 0, tzinfo=UTC)
"""When the scheduled campaign is due."""


@pytest.fixture(params=ALL_RELEASED)
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ReleasedDatabase]:
    """Each kept database, migrated."""
    folder, kind = request.param
    with restore_released(request, folder, kind, tmp_path) as one:
        migrate_database(one.url, MIGRATIONS)
        yield one


@pytest.fixture
def clock(kept: ReleasedDatabase) -> Clock:
    """An hour after the old service was killed: what it deferred is due."""
    made = Clock()
    made.now = kept.now + timedelta(hours=1)
    return made


@pytest.fixture
def app(kept: ReleasedDatabase, clock: Clock, relay: FakeRelay) -> App:
    """This version on the old database; the service closes it."""
    return make_app(kept.url, clock, relay.port)


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition of the database."""
    async with asyncio.timeout(20):
        while not await true():  # noqa: ASYNC110 - rows ring no bell
            await asyncio.sleep(0.02)


async def is_sent(app: App, campaign_id: int) -> bool:
    return (await campaign_status(app, ADMIN, campaign_id)).campaign.state is CampaignState.SENT


async def in_the_morning(app: App, clock: Clock, kept: ReleasedDatabase) -> None:
    """The scheduled campaign becomes due, and all of it is sent."""
    clock.now = MORNING
    app.wakeups.notify_all()
    await until(lambda: is_sent(app, kept.facts["scheduled"]))


def got(relay: FakeRelay, campaign_id: int) -> Counter[str]:
    """How often each reader got a campaign's letter."""
    return Counter(
        one.recipient for one in relay.letters if (parse_letter(one)["Feedback-ID"] or "").startswith(f"{campaign_id}:")
    )


async def test_the_campaign_ends_nobody_gets_it_twice_and_waiting_mail_is_processed(
    kept: ReleasedDatabase, app: App, clock: Clock, relay: FakeRelay
) -> None:
    half, leaving = kept.facts["half_sent"], kept.facts["leaving"]
    async with running_service(app):
        await until(lambda: is_sent(app, half))
        blast = got(relay, half)
        await until(lambda: _state(app, leaving, "unsubscribed"))
        await until(lambda: _state(app, "waits@example.net", "pending"))
        await in_the_morning(app, clock, kept)
        counts = (await campaign_status(app, ADMIN, half)).counts

    went_on = kept.readers("queued", "claimed", "handed", "deferred")
    # Whose leaving had not been acted on may get the letter that was on its way, and nothing later.
    assert blast - Counter([leaving]) == Counter(went_on - {leaving})
    assert sum(counts.values()) == len(kept.facts["states"])
    assert counts["accepted"] == len(kept.readers("accepted")) + blast.total()
    assert got(relay, kept.facts["scheduled"]) == Counter(set(kept.facts["readers"]) - {leaving})
    assert not set(kept.facts["gone"]) & set(recipients(relay))


async def test_links_and_addresses_in_old_letters_work(
    kept: ReleasedDatabase, app: App, clock: Clock, relay: FakeRelay
) -> None:
    tokens, readers, (by_link, by_reply, never) = kept.facts["tokens"], kept.facts["readers"], kept.facts["pending"]
    clicked, answered, wrote, dead = readers[20:24]

    async with running_service(app) as service:
        assert (await service.browser.get(f"/leave/{tokens['leave'][clicked]}")).status_code == 200
        for path in (
            f"/leave/{tokens['leave'][clicked]}",
            f"/leave/{tokens['leave'][kept.facts['gone'][0]]}",
            f"/confirm/{tokens['confirm'][by_link]}",
            f"/never/{tokens['never'][never]}",
        ):
            assert (await service.browser.post(path)).status_code == 200, path
        await _hand_in(service, by_reply, f"appeals-confirm+{tokens['confirm'][by_reply]}", "yes\r\n")
        await _hand_in(service, answered, f"appeals-reply+{tokens['reply'][answered]}", "stop\r\n")
        await _hand_in(service, wrote, f"appeals-leave+{tokens['leave'][wrote]}", "\r\n")
        await _deliver(service, "", tokens["return_path"][dead], bounce(dead))
        for reader, state in {
            **dict.fromkeys((clicked, answered, wrote, dead), "unsubscribed"),
            **dict.fromkeys((by_link, by_reply), "confirmed"),
        }.items():
            await until(lambda reader=reader, state=state: _state(app, reader, state))  # type: ignore[misc]
        await in_the_morning(app, clock, kept)
        known = await show_person(app, ADMIN, dead)

    assert [one.reason for one in known.suppressions] == ["bounced"]
    out = {clicked, answered, wrote, dead, kept.facts["leaving"]}
    assert got(relay, kept.facts["scheduled"]) == Counter({*readers, by_link, by_reply} - out)


@pytest.mark.parametrize(("source", "target"), ACROSS)
async def test_a_restored_campaign_is_paused_and_after_resuming_nobody_gets_it_twice(
    request: pytest.FixtureRequest, tmp_path: Path, relay: FakeRelay, source: tuple[Path, str], target: str
) -> None:
    own = ServiceFiles(spool=tmp_path / "spool", secret_file=tmp_path / "secret")
    own.secret_file.write_text("the same")
    clock = Clock()
    with restore_released(request, *source, tmp_path) as kept, empty(request, target, tmp_path) as url:
        back_up(kept.url, own, MIGRATIONS, tmp_path / "b.zip", kept.now)
        restore_backup(url, own, MIGRATIONS, tmp_path / "b.zip", kept.now)
        half, leaving = kept.facts["half_sent"], kept.facts["leaving"]
        clock.now = kept.now + timedelta(hours=1)
        app = make_app(url, clock, relay.port)
        async with running_service(app):
            await until(lambda: _state(app, leaving, "unsubscribed"))
            await relay.wait_for(1)
            still, later = (
                await campaign_status(app, ADMIN, half),
                await campaign_status(app, ADMIN, kept.facts["scheduled"]),
            )
            before = got(relay, half)
            await resume(app, ADMIN, half)
            await until(lambda: is_sent(app, half))

    assert (still.campaign.state, later.campaign.state) == (CampaignState.PAUSED, CampaignState.DRAFT)
    assert (still.campaign.remark or "").startswith("restored from a backup of 2027-03-01")
    assert before == Counter()
    assert got(relay, half) == Counter(kept.readers("queued", "claimed", "handed", "deferred") - {leaving})


@contextmanager
def empty(request: pytest.FixtureRequest, kind: str, place: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{place}/restored.db"
        return
    with empty_postgresql(request) as url:
        yield url


def test_a_migrated_database_has_the_tables_that_a_new_one_has(
    kept: ReleasedDatabase, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if kept.url.startswith("sqlite"):
        new = f"sqlite:///{tmp_path}/new.db"
        migrate_database(new, MIGRATIONS)
        assert tables_of(kept.url) == tables_of(new)
        return
    with empty_postgresql(request) as new:
        migrate_database(new, MIGRATIONS)
        assert tables_of(kept.url) == tables_of(new)


def tables_of(url: str) -> dict[str, Any]:
    """All that a database knows of its tables."""
    engine = open_engine(url)
    with engine.connect() as connection:
        look = inspect(connection)
        found: dict[str, Any] = {
            table: {
                "columns": [{**one, "type": repr(one["type"])} for one in look.get_columns(table)],
                "key": look.get_pk_constraint(table),
                "foreign keys": sorted(map(repr, look.get_foreign_keys(table))),
                "unique": sorted(map(repr, look.get_unique_constraints(table))),
                "indexes": sorted(
                    repr({**one, "dialect_options": {key: str(value) for key, value in one["dialect_options"].items()}})
                    for one in look.get_indexes(table)
                ),
            }
            for table in look.get_table_names()
        }
        if engine.dialect.name == "sqlite":
            asked = "SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%' ORDER BY name"
            found["never give a number twice"] = connection.execute(text(asked)).scalars().all()
    engine.dispose()
    return found


async def _state(app: App, address: str, state: str) -> bool:
    return bool((await show_person(app, ADMIN, address)).subscriptions.get("appeals") == state)


async def _hand_in(service: RunningService, sender: str, to: str, body: str) -> None:
    mail = f"From: {sender}\r\nTo: {to}@{DOMAIN}\r\nSubject: Re: news\r\nMessage-ID: <{to}@example.org>\r\n\r\n{body}"
    await _deliver(service, sender, to, mail.encode())


async def _deliver(service: RunningService, sender: str, to: str, octets: bytes) -> None:
    def deliver() -> None:
        with smtplib.SMTP("127.0.0.1", service.ports.intake_port, timeout=10) as client:
            client.sendmail(sender, [f"{to}@{DOMAIN}"], octets)

    await asyncio.to_thread(deliver)
