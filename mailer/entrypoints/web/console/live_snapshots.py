"""Snapshots of campaigns on their way: counted once a second at most, and shared by everybody who watches."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request

from mailer.actions.campaigns.live_status import LiveStatus, live_status
from mailer.app import App
from mailer.domain.accounts.actor import SERVICE
from mailer.domain.address import hide_addresses
from mailer.domain.campaign import CampaignState
from mailer.domain.time_left import RateMeter, seconds_left
from mailer.entrypoints.web.console.charts import stacked_bar
from mailer.entrypoints.web.console.formatting import Formatter

SHOWN = (
    *("accepted", "failed", "uncertain", "suppressed", "expired", "cancelled"),
    *("deferred", "handed", "claimed", "queued"),
)
"""The states of letters in the order of the bar: what is settled first, what waits last."""
MOST_WATCHERS = 200
_EVERY_S, _REST_FACTOR = 1.0, 10
"""A campaign is counted so often, and the database rests for ten times what the count took."""
_KEPT_S = 60.0
"""A campaign that nobody asked about for so long is forgotten."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """A campaign at one moment, with its rate over the last seconds."""

    status: LiveStatus
    rate: float | None
    """Letters settled a second; None while it is not sending, or not known yet."""
    seconds_left: float | None
    rest_s: float
    """After so many seconds the next snapshot can be had."""
    _words: dict[tuple[str, str, bool], str] = field(default_factory=dict)

    def numbers(self, app: App, fmt: Formatter, *, sees_people: bool) -> str:
        """All numbers and sentences of the page in the reader's language and zone, as one line of JSON."""
        key = fmt.language, fmt.zone, sees_people
        if key not in self._words:
            values: dict[str, Any] = {"snapshot": self, "status": self.status, "fmt": fmt, "shown": SHOWN}
            values["bar"] = stacked_bar({name: self.status.counts.get(name, 0) for name in SHOWN})  # type: ignore[call-overload]
            values["shown_text"] = (lambda text: text) if sees_people else hide_addresses
            rendered = app.console_templates.render("console/live_numbers.json", fmt.language, **values)
            self._words[key] = json.dumps(json.loads(rendered), ensure_ascii=False)
        return self._words[key]


@dataclass(slots=True)
class _Followed:
    """One campaign that somebody looks at."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    meter: RateMeter = field(default_factory=RateMeter)
    snapshot: Snapshot | None = None
    taken_at: float = 0.0
    asked_at: float = 0.0


class LiveSnapshots:
    """The newest snapshot of each campaign that somebody looks at, and how many watch."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._followed: dict[int, _Followed] = {}
        self.watchers = 0

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count one more watcher while the block runs."""
        self.watchers += 1
        try:
            yield
        finally:
            self.watchers -= 1

    async def get(self, campaign_id: int) -> Snapshot:
        """The campaign's snapshot, at most a second old. Raises NotFound. Whoever asks must have the permission."""
        self._forget_unasked()
        one = self._followed.setdefault(campaign_id, _Followed())
        one.asked_at = time.monotonic()
        async with one.lock:
            if one.snapshot is None or time.monotonic() - one.taken_at >= one.snapshot.rest_s:
                one.snapshot = await self._take(campaign_id, one.meter)
                one.taken_at = time.monotonic()
            return one.snapshot

    def forget(self, campaign_id: int) -> None:
        """Count this campaign anew when it is asked about next: somebody has just changed it."""
        if (one := self._followed.get(campaign_id)) is not None:
            one.taken_at = 0.0

    async def _take(self, campaign_id: int, meter: RateMeter) -> Snapshot:
        began = time.monotonic()
        status = await live_status(self._app, SERVICE, campaign_id)
        rate = None
        if status.campaign.state is CampaignState.SENDING:
            meter.add(began, status.settled)
            rate = meter.rate if meter.rate is not None else _rate_since_launch(status)
        left = seconds_left(status.waiting, rate, _not_before(status), status.at)
        rest_s = max(_EVERY_S, _REST_FACTOR * (time.monotonic() - began))
        return Snapshot(status=status, rate=rate, seconds_left=left, rest_s=rest_s)

    def _forget_unasked(self) -> None:
        now = time.monotonic()
        for campaign_id, one in list(self._followed.items()):
            if now - one.asked_at > _KEPT_S and not one.lock.locked():
                del self._followed[campaign_id]


def _not_before(status: LiveStatus) -> Iterator[datetime]:
    """The hours before which not all letters can have gone."""
    yield from (one.until for one in status.held)
    campaign = status.campaign
    if campaign.launched_at is not None and campaign.over_s is not None:
        yield campaign.launched_at + timedelta(seconds=campaign.over_s)


def _rate_since_launch(status: LiveStatus) -> float | None:
    launched_at = status.campaign.launched_at
    elapsed_s = (status.at - launched_at).total_seconds() if launched_at else 0.0
    return status.settled / elapsed_s if elapsed_s >= 1 else None


def live_snapshots(request: Request) -> LiveSnapshots:
    """The snapshots of the service that answers this request."""
    snapshots: LiveSnapshots = request.app.state.live
    return snapshots
