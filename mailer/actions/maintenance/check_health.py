"""Check, while the service runs, whether letters can go and whether something waits for somebody."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import Connection

from mailer.actions.delivery.check_published import check_published
from mailer.actions.maintenance.check_mail import check_notices, check_parked
from mailer.actions.maintenance.check_service import check_site
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.health_check import CheckGroup, HealthCheck, HealthReport, warn
from mailer.relay.check_relay import check_relay

_TIMEOUT_S = 20
_REST = timedelta(seconds=10)
"""Relays and DNS are asked at most so often, however often somebody wants to know."""


async def check_database_health(app: App) -> None:
    """Record what waits in the database for somebody: notices that cannot be rendered, mails that are parked."""

    def read(tx: Connection) -> list[HealthCheck]:
        return [check_notices(tx), check_parked(tx)]

    app.health.record(CheckGroup.DATABASE, await app.database.read(read), app.clock())


async def check_sending_health(app: App) -> None:
    """Record whether relays answer, and what the DNS says of our domain; at most once in ten seconds.

    The DNS is asked only where letters leave this machine: with sample settings they do not.
    """
    checked_at = app.health.checked_at(CheckGroup.SENDING)
    if checked_at is not None and app.clock() - checked_at < _REST:
        return
    service = _check_settings(app)
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            relays, published = await asyncio.gather(
                asyncio.gather(*map(check_relay, app.relays)), check_published(app)
            )
    except TimeoutError:
        message = f"relays and DNS did not answer within {_TIMEOUT_S} seconds"
        relays, published = [warn("sending", message, "Look at the network of this machine.")], []
    app.health.record(CheckGroup.SENDING, [service, *relays, *published], app.clock())


async def check_health(app: App, actor: Actor) -> HealthReport:
    """Check everything now; for site owners. Raises NotPermitted."""
    actor.require(Permission.MANAGE_SITE)
    await check_database_health(app)
    await check_sending_health(app)
    return app.health.latest()


def health_report(app: App, actor: Actor) -> HealthReport:
    """The results of the last checks; for site owners. Raises NotPermitted."""
    actor.require(Permission.MANAGE_SITE)
    return app.health.latest()


def _check_settings(app: App) -> HealthCheck:
    site, hosts = app.site, [relay.host for relay in app.relays]
    return check_site(name=site.name, domain=site.domain, url=site.url, owner=site.owner, relay_hosts=hosts)
