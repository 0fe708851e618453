"""The machine that the figures were measured on: processor, disk, programs, signatures per second of one core."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bench.relay import postfix_program
from tests.support.postgres import find_binaries

_SAMPLES, _SAMPLE_OCTETS = 200, 4096
_SIGNING_S = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """The facts that tell figures of two machines apart."""

    cpu: str
    cores: int
    kernel: str
    load: float
    """The load average of the minute before the run."""
    python: str
    sqlite: str
    postgresql: str
    postfix: str
    fdatasync_ms: float

    def described(self) -> list[tuple[str, str]]:
        """(label, value) lines for people."""
        return [
            ("processor", f"{self.cpu}, {self.cores} cores"),
            ("kernel", self.kernel),
            ("load before", f"{self.load:.1f}" + (" (busy: trust no figure)" if self.load > self.cores / 2 else "")),
            ("Python", self.python),
            ("SQLite", self.sqlite),
            ("PostgreSQL", self.postgresql or "none"),
            ("Postfix", self.postfix or "none: our own sink and source are used"),
            ("fdatasync of 4 KB", f"{self.fdatasync_ms:.2f} ms (median of {_SAMPLES} appends)"),
        ]


def inspect_machine(folder: Path) -> Machine:
    """Measure this machine, and the disk of `folder`."""
    binaries = find_binaries()
    postconf = postfix_program("postconf")
    return Machine(
        cpu=_cpu_model(),
        cores=len(os.sched_getaffinity(0)),
        kernel=f"{platform.system()} {platform.release()}",
        load=os.getloadavg()[0],
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        postgresql=_version(binaries / "postgres", "--version") if binaries else "",
        postfix=_version(postconf, "-dh", "mail_version") if postconf and postfix_program("smtp-sink") else "",
        fdatasync_ms=fdatasync_ms(folder),
    )


def fdatasync_ms(folder: Path) -> float:
    """Median milliseconds of an fdatasync after 4 KB are appended to a file in `folder`."""
    took = []
    file = folder / "appended"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        for _ in range(_SAMPLES):
            os.write(descriptor, os.urandom(_SAMPLE_OCTETS))
            began = time.perf_counter()
            os.fdatasync(descriptor)
            took.append(time.perf_counter() - began)
    finally:
        os.close(descriptor)
        file.unlink()
    return statistics.median(took) * 1000


def signatures_per_s() -> float:
    """RSA-2048 signatures per second of one core, by `openssl speed`. Raises LookupError without openssl."""
    try:
        output = _output("openssl", "speed", "-seconds", _SIGNING_S, "rsa2048")
    except FileNotFoundError:
        raise LookupError("there is no openssl here, the yardstick of signing") from None
    found = re.search(r"^rsa\s+2048 bits\s+\S+s\s+\S+s\s+([\d.]+)", output, re.MULTILINE)
    if found is None:
        raise LookupError(f"openssl speed says {output!r}")
    return float(found[1])


def _cpu_model() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _version(*command: object) -> str:
    output = _output(*command).strip()
    return output.rpartition(" ")[2] if " " in output else output


def _output(*command: object) -> str:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False).stdout
