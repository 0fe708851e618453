"""The most memory that this process has had."""

from __future__ import annotations

from pathlib import Path


def peak_kib() -> int:
    """The peak of the resident set in KiB.

    Not `ru_maxrss`, which Linux hands down: a program that a large process starts would begin with its peak.
    """
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
