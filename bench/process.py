"""Child processes: start and stop them, read their CPU time and peak memory."""

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
"""A service may wait 30 seconds for its relay before it stops by itself."""


@contextmanager
def child_process(*command: object, **how: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command while the block runs; at its end the process gets SIGTERM, then SIGKILL."""
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, **how)
    try:
        yield process
    finally:
        # A second Ctrl-C must not leave it running.
        try:
            process.terminate()
            process.wait(_STOP_TIMEOUT_S)
        finally:
            process.kill()
            process.wait()


def process_tree(pid: int) -> list[int]:
    """The ids of a process and its descendants; empty if the process has ended."""
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
    """User and system seconds so far of these processes and their descendants, including ended ones."""
    ticks = 0
    for pid in pids:
        for one in process_tree(pid):
            with suppress(OSError):
                # utime, stime, cutime, cstime: proc(5), /proc/PID/stat.
                ticks += sum(int(number) for number in _stat(one)[11:15])
    return ticks / _TICKS


def machine_cpu_seconds() -> float:
    """User and system seconds so far of all processes of the machine: proc(5), /proc/stat."""
    user, nice, system = Path("/proc/stat").read_text().split(maxsplit=4)[1:4]
    return (int(user) + int(nice) + int(system)) / _TICKS


def peak_mb(pid: int) -> float:
    """The peak resident memory of a process in MB (10^6 octets); 0 if it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def _stat(pid: int) -> list[str]:
    # The name in parentheses may contain anything, even blanks and parentheses.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
