"""Processes as seen from outside: their CPU time, their peak memory, and an end for every child."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PYTHON = sys.executable
_TICKS = os.sysconf("SC_CLK_TCK")
_STOP_TIMEOUT_S = 40
"""A service may wait half a minute for its relay before it ends by itself."""


@contextmanager
def child_process(*command: object, **how: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A process of ours while the block runs: at its end it is asked to go, and killed if it does not."""
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, **how)
    try:
        yield process
    finally:
        # One more Ctrl-C must not leave it running.
        try:
            process.terminate()
            process.wait(_STOP_TIMEOUT_S)
        finally:
            process.kill()
            process.wait()


def process_tree(pid: int) -> list[int]:
    """The process and all that descend from it; empty once it is gone."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):
                parents[int(folder.name)] = int(_stat(int(folder.name))[1])
    found = [pid] if pid in parents else []
    for one in found:
        found += [number for number, parent in parents.items() if parent == one]
    return found


def cpu_seconds(*pids: int) -> float:
    """User and system seconds of these processes and their descendants so far, those that ended included."""
    ticks = 0
    for pid in pids:
        for one in process_tree(pid):
            with suppress(OSError):
                # utime, stime, cutime, cstime: proc(5), /proc/PID/stat.
                ticks += sum(int(number) for number in _stat(one)[11:15])
    return ticks / _TICKS


def machine_cpu_seconds() -> float:
    """Seconds that all processes of the machine together have computed for so far: proc(5), /proc/stat."""
    user, nice, system = Path("/proc/stat").read_text().split(maxsplit=4)[1:4]
    return (int(user) + int(nice) + int(system)) / _TICKS


def peak_mb(pid: int) -> float:
    """The most memory the process was ever resident with, in MB (10^6 octets); 0 once it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def _stat(pid: int) -> list[str]:
    # The name in parentheses may hold anything, blanks too.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
