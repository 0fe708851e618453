"""CPU time since a start: of the service, of the sink, of PostgreSQL, and of all other programs."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from bench.process import cpu_seconds, machine_cpu_seconds
from bench.service import Service

QUIET_CORES = 0.15
"""Cores that other programs may use during a measurement without a remark."""


@dataclass(frozen=True, slots=True)
class CpuUsage:
    """Seconds of user and system time, by process; and the cores that all other programs used."""

    by_process: dict[str, float]
    other_cores: float

    def us_per_item(self, number: int) -> dict[str, float]:
        """Microseconds per item, of `number` items, by process."""
        return {who: seconds / number * 1e6 for who, seconds in self.by_process.items()}

    @property
    def remarks(self) -> list[str]:
        """A remark if other programs disturbed the measurement, else nothing."""
        return [f"other programs kept {self.other_cores:.1f} cores busy"] if self.other_cores >= QUIET_CORES else []


@dataclass(frozen=True, slots=True)
class CpuMeter:
    """A meter that was started; `read` it as often as you like."""

    pids: dict[str, tuple[int, ...]]
    began: float
    before: dict[str, float]

    def read(self) -> CpuUsage:
        """CPU time since the start."""
        spent = {who: now - self.before[who] for who, now in _cpu_seconds(self.pids).items()}
        everything, bench = spent.pop("everything"), spent.pop("bench")
        others = everything - bench - sum(spent.values())
        return CpuUsage(spent, max(others / (time.monotonic() - self.began), 0.0))


def start_meter(service: Service, sink_pid: int | None = None, server_pid: int | None = None) -> CpuMeter:
    """Start a meter of the service, and of the sink and PostgreSQL if their process ids are given."""
    pids = {"service": tuple(process.pid for process in service.processes)}
    pids |= {who: (pid,) for who, pid in (("sink", sink_pid), ("PostgreSQL", server_pid)) if pid is not None}
    return CpuMeter(pids, time.monotonic(), _cpu_seconds(pids))


def _cpu_seconds(pids: dict[str, tuple[int, ...]]) -> dict[str, float]:
    times = os.times()
    bench = times.user + times.system + times.children_user + times.children_system
    return {who: cpu_seconds(*theirs) for who, theirs in pids.items()} | {
        "bench": bench,
        "everything": machine_cpu_seconds(),
    }
