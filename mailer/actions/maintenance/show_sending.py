"""Show how letters leave: the relays and what holds them, the keys that sign, and what the last checks found."""

from __future__ import annotations

from dataclasses import dataclass

from mailer.actions.maintenance.check_health import health_report
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.health_check import HealthReport
from mailer.store.queue import lane_holds
from mailer.store.queue.lane_holds import Hold


@dataclass(frozen=True, kw_only=True, slots=True)
class RelayView:
    """One relay."""

    name: str
    """Host and port."""
    tls: str
    """`none`, `starttls` or `tls`."""
    connections: int
    hold: Hold | None
    """Why nothing is given to it for now; None while it takes letters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SendingView:
    """How letters leave."""

    report: HealthReport
    relays: tuple[RelayView, ...]
    keys: tuple[str, ...]
    """The DNS names of the DKIM keys that sign, the preferred first; empty where letters are not signed."""


async def show_sending(app: App, actor: Actor) -> SendingView:
    """How letters leave; for site owners. Raises NotPermitted."""
    report, now = health_report(app, actor), app.clock()
    holds = await app.database.read(lane_holds.holds_by_lane)
    current = {lane: hold for lane, hold in holds.items() if hold.until > now}
    return SendingView(
        report=report,
        relays=tuple(
            RelayView(name=str(relay), tls=relay.tls, connections=relay.connections, hold=current.get(f"relay {relay}"))
            for relay in app.relays
        ),
        keys=tuple(signer.record_name for signer in app.signers),
    )
