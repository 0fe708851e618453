"""The running service checks itself: relays that answer or do not, mails that are parked, settings that are samples."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import insert

from mailer.actions.maintenance.check_health import (
    check_database_health,
    check_health,
    check_sending_health,
    health_report,
)
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.health_check import HealthReports, HealthStatus
from mailer.errors import NotPermitted
from mailer.store.people_tables import incoming
from tests.support.app_helpers import ADMIN, EMMA, Clock
from tests.support.dns_zone import Zone
from tests.support.fake_relay import FakeRelay

LIST_OWNER = Actor(name="ada@example.org", door=Door.CONSOLE, grants=(Grant(role=Role.OWNER, mailing_list_id=1),))


async def test_a_house_on_one_machine_whose_relay_answers_fails_nothing(app: App, relay: FakeRelay) -> None:
    report = await check_health(app, ADMIN)

    assert report.failing == ()
    assert report.checked_at == app.clock()
    assert {check.check.split()[0] for check in report.checks} == {"notices", "parked", "service", "relay"}
    assert relay.letters == []


async def test_a_relay_that_does_not_answer_fails_since_it_was_first_asked(app: App, clock: Clock) -> None:
    silent = replace(app, relays=(replace(app.relays[0], port=1),))
    first = clock.now
    await check_health(silent, ADMIN)
    clock.advance(minutes=10)

    report = await check_health(silent, ADMIN)

    assert [check.check for check in report.failing] == [f"relay {silent.relays[0]}"]
    assert report.failing_since == {f"relay {silent.relays[0]}": first}


async def test_relays_are_not_asked_again_within_ten_seconds(app: App, clock: Clock) -> None:
    await check_sending_health(app)
    gone = replace(app, relays=(replace(app.relays[0], port=1),))
    clock.advance(seconds=9)
    await check_sending_health(gone)
    assert app.health.latest().failing == ()

    clock.advance(seconds=1)
    await check_sending_health(gone)
    assert len(app.health.latest().failing) == 1


async def test_sample_settings_fail_only_where_letters_leave_this_machine(app: App) -> None:
    await check_sending_health(app)
    service = next(check for check in app.health.latest().checks if check.check == "service")

    assert service.status is HealthStatus.WARN, "the relay is on this machine"


async def test_the_dns_is_asked_only_where_no_setting_is_a_sample(app: App) -> None:
    async with Zone({"lists.unser-verein.de. MX": ["10 mail.unser-verein.de."]}) as zone:
        await check_sending_health(replace(app, dns=zone.dns()))
        assert zone.queries == []

        named = {"name": "Unser Verein", "domain": "lists.unser-verein.de", "owner": "ada@unser-verein.de"}
        site = replace(app.site, url="https://lists.unser-verein.de", **named)
        real = replace(app, dns=zone.dns(), site=site, health=HealthReports())
        await check_sending_health(real)

    failing = {check.check for check in real.health.latest().failing}
    assert {"spf lists.unser-verein.de", "dmarc lists.unser-verein.de", "mx lists.unser-verein.de"} <= failing


async def test_a_parked_mail_is_no_failure_but_is_said(app: App) -> None:
    await check_database_health(app)
    assert {check.status for check in app.health.latest().checks} == {HealthStatus.OK}

    row = {"sender": EMMA, "recipients": [f"appeals@{app.site.domain}"], "raw": b"x", "request": {}, "state": "parked"}
    await app.database.write(lambda tx: tx.execute(insert(incoming).values(received_at=app.clock(), **row)))
    await check_database_health(app)

    parked = next(check for check in app.health.latest().checks if check.check == "parked")
    assert parked.status is HealthStatus.WARN
    assert parked.message.startswith("1 incoming mail")


async def test_only_a_site_owner_sees_relays_and_checks_them(app: App) -> None:
    with pytest.raises(NotPermitted):
        await check_health(app, LIST_OWNER)
    with pytest.raises(NotPermitted):
        health_report(app, LIST_OWNER)
    assert health_report(app, ADMIN).checks == ()
