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
"""Between points of the curve."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BlastResult:
    """What a blast to everybody took."""

    people: int
    points: list[tuple[float, int]]
    """(seconds since the launch was over, letters accepted by the sink)."""
    yardsticks: tuple[float, float]
    """Just before and just after, letters a second."""
    cpu_usage: CpuUsage
    peaks_mb: list[float]
    warnings: list[str]

    @property
    def rate(self) -> float:
        """Letters a second, from the end of the launch until the sink had taken the last."""
        return self.people / self.points[-1][0]

    @property
    def yardstick(self) -> float:
        """The mean of both."""
        return sum(self.yardsticks) / 2

    def rate_between(self, first: int, last: int) -> float:
        """Letters a second from the first-th letter to the last-th."""
        return (last - first) / max(self._time_of_letter(last) - self._time_of_letter(first), 1e-9)

    def _time_of_letter(self, letters: int) -> float:
        before = (0.0, 0)
        for point in self.points:
            if point[1] >= letters:
                share = (letters - before[1]) / max(point[1] - before[1], 1)
                return before[0] + (point[0] - before[0]) * share
            before = point
        return before[0]


def run_blast(
    desk: Workspace, sink: Sink, people: int, *, workers: int = 1, server_pid: int | None = None, yardstick_letters: int
) -> BlastResult:
    """Launch a campaign to everybody and wait until all is sent; Broken if anybody is lost or mailed twice."""
    with running_service(desk, workers) as service:
        before = measure_yardstick(sink, yardstick_letters)
        campaign_id = desk.new_campaign()
        taken, meter = sink.taken(), start_meter(service, sink.pid, server_pid)
        desk.command("campaign", "send", campaign_id, "--now")
        launched = service.wait_for_time("campaign launched", TIMEOUT_S * 5)
        points = _record_points(service, sink, taken, people, launched)
        spent = meter.read()
        _check_counts(desk, campaign_id, people, sink.taken() - taken, service)
        peaks, troubles = service.peaks_mb(), service.warnings()
        after = measure_yardstick(sink, yardstick_letters)
    return BlastResult(
        people=people,
        points=points,
        yardsticks=(before, after),
        cpu_usage=spent,
        peaks_mb=peaks,
        warnings=troubles,
    )


def _record_points(service: Service, sink: Sink, taken: int, people: int, launched: float) -> list[tuple[float, int]]:
    points, kept, moved = [(0.0, 0)], 0.0, time.monotonic()
    while True:
        now, letters = time.time() - launched, sink.taken() - taken
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


def _check_counts(desk: Workspace, campaign_id: int, people: int, letters: int, service: Service) -> None:
    """Everyone is accounted for, once, or the figures are worth nothing."""
    until = time.monotonic() + TIMEOUT_S
    told = desk.status(campaign_id)
    while told.campaign.state is not CampaignState.SENT and time.monotonic() < until:
        time.sleep(0.2)
        told = desk.status(campaign_id)
    if told.counts != {DeliveryState.ACCEPTED: people} or letters != people:
        raise MeasurementFailed(
            f"{people} people, {letters} letters, but the ledger says {told.counts}: {service.last_log_lines()}"
        )
