"""One blast of the real service to the sink, watched from outside."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench.cpu_meter import CpuUsage, start_meter
from bench.figure import MeasurementFailed
from bench.relay import Sink, measure_yardstick
from bench.service import TIMEOUT_S, Service, running_service
from bench.workspace import Workspace
from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import DeliveryState

_POLL_S = 0.05
_POINT_INTERVAL_S = 0.25
"""Seconds between two points of the curve."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BlastResult:
    """The measurements of one campaign to everybody."""

    people: int
    points: list[tuple[float, int]]
    """(seconds since the launch ended, letters the sink has accepted)."""
    yardsticks: tuple[float, float]
    """The yardstick's letters per second, just before and just after."""
    cpu_usage: CpuUsage
    peaks_mb: list[float]
    warnings: list[str]

    @property
    def rate(self) -> float:
        """Letters per second, from the end of the launch until the sink has accepted the last."""
        return self.people / self.points[-1][0]

    @property
    def yardstick(self) -> float:
        """The mean of both yardsticks, in letters per second."""
        return sum(self.yardsticks) / 2

    def rate_between(self, first: int, last: int) -> float:
        """Letters per second from letter number `first` to letter number `last`."""
        return (last - first) / max(self._time_of_letter(last) - self._time_of_letter(first), 1e-9)

    def _time_of_letter(self, letters: int) -> float:
        previous = (0.0, 0)
        for point in self.points:
            if point[1] >= letters:
                share = (letters - previous[1]) / max(point[1] - previous[1], 1)
                return previous[0] + (point[0] - previous[0]) * share
            previous = point
        return previous[0]


def run_blast(
    workspace: Workspace,
    sink: Sink,
    people: int,
    *,
    workers: int = 1,
    server_pid: int | None = None,
    yardstick_letters: int,
) -> BlastResult:
    """Launch a campaign to everybody and wait until all is sent. MeasurementFailed if anybody got no letter or two."""
    with running_service(workspace, workers) as service:
        rate_before = measure_yardstick(sink, yardstick_letters)
        campaign_id = workspace.new_campaign()
        already_taken, meter = sink.taken(), start_meter(service, sink.pid, server_pid)
        workspace.command("campaign", "send", campaign_id, "--now")
        launched = service.wait_for_time("started campaign", TIMEOUT_S * 5)
        points = _record_points(service, sink, already_taken, people, launched)
        spent = meter.read()
        _check_counts(workspace, campaign_id, people, sink.taken() - already_taken, service)
        peaks, troubles = service.peaks_mb(), service.warnings()
        rate_after = measure_yardstick(sink, yardstick_letters)
    return BlastResult(
        people=people,
        points=points,
        yardsticks=(rate_before, rate_after),
        cpu_usage=spent,
        peaks_mb=peaks,
        warnings=troubles,
    )


def _record_points(
    service: Service, sink: Sink, already_taken: int, people: int, launched: float
) -> list[tuple[float, int]]:
    points, kept, moved = [(0.0, 0)], 0.0, time.monotonic()
    while True:
        now, letters = time.time() - launched, sink.taken() - already_taken
        if letters > points[-1][1]:
            moved = time.monotonic()
        if now - kept >= _POINT_INTERVAL_S or letters >= people or points[-1][1] == 0 < letters:
            points.append((now, letters))
            kept = now
        if letters >= people:
            return points
        service.check_running()
        if time.monotonic() - moved > TIMEOUT_S:
            raise MeasurementFailed(
                f"no letter for {TIMEOUT_S} s, after {letters} of {people}: {service.last_log_lines()}"
            )
        time.sleep(_POLL_S)


def _check_counts(workspace: Workspace, campaign_id: int, people: int, letters: int, service: Service) -> None:
    """MeasurementFailed unless everybody was accepted exactly once, by the ledger and by the sink."""
    until = time.monotonic() + TIMEOUT_S
    status = workspace.status(campaign_id)
    while status.campaign.state is not CampaignState.SENT and time.monotonic() < until:
        time.sleep(0.2)
        status = workspace.status(campaign_id)
    if status.counts != {DeliveryState.ACCEPTED: people} or letters != people:
        raise MeasurementFailed(
            f"{people} people, {letters} letters, but the ledger says {status.counts}: {service.last_log_lines()}"
        )
