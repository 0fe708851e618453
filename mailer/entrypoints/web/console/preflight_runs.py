"""Checks of campaigns that run in the background: one at a time for each campaign, its report kept for a while."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog
from starlette.requests import Request

from mailer.actions.campaigns.preflight.check_campaign import CheckScope, check_campaign
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.letters.preflight import PreflightReport

_log = structlog.get_logger()

KEPT = timedelta(minutes=10)
"""What a report says of the DNS and of other servers may have changed since."""
_MOST_RUNS = 100


@dataclass(slots=True)
class PreflightRun:
    """One check, running or done."""

    with_links: bool
    readers: int = 0
    """Whose letter was written so far."""
    report: PreflightReport | None = None
    has_failed: bool = False
    """Whether it ended without a report."""
    task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether there is something to wait for."""
        return self.task is not None and not self.task.done()


class PreflightRuns:
    """The last check of each campaign."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._runs: dict[int, PreflightRun] = {}

    def get(self, campaign_id: int) -> PreflightRun | None:
        """The check of a campaign that runs, or whose report is not too old; None if there is none."""
        run = self._runs.get(campaign_id)
        if run is None or run.is_running:
            return run
        if run.report is not None and self._app.clock() - run.report.checked_at > KEPT:
            del self._runs[campaign_id]
            return None
        return run

    def start(self, actor: Actor, campaign_id: int, *, with_links: bool) -> PreflightRun:
        """Begin a check in the background, unless one is running; the actor's permission was asked before."""
        known = self.get(campaign_id)
        if known is not None and known.is_running:
            return known
        if campaign_id not in self._runs and len(self._runs) >= _MOST_RUNS:
            del self._runs[next(iter(self._runs))]
        run = self._runs[campaign_id] = PreflightRun(with_links=with_links)
        run.task = asyncio.create_task(self._run(run, actor, campaign_id), name=f"check campaign {campaign_id}")
        return run

    async def _run(self, run: PreflightRun, actor: Actor, campaign_id: int) -> None:
        def progress(readers: int) -> None:
            run.readers = readers

        async def check() -> None:
            scope = CheckScope(links=run.with_links)
            run.report = await check_campaign(self._app, actor, campaign_id, scope, progress)

        try:
            await self._app.wakeups.run_unless_closing(check())
        except Exception:  # whoever waits for it must be told, whatever it was
            _log.exception("failed to check campaign", campaign=campaign_id)
        run.has_failed = run.report is None


def preflight_runs(request: Request) -> PreflightRuns:
    """The checks of the service that answers this request."""
    runs: PreflightRuns = request.app.state.preflights
    return runs
