"""The relay that letters go to, and the yardstick of sending: Postfix's smtp-sink and smtp-source, or our own."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.figure import MeasurementFailed
from bench.process import PYTHON, ROOT, child_process

SESSIONS, OCTETS = 20, 10_240
_POSTFIX_FOLDER = "/usr/sbin"
_COUNT = re.compile(rb"mesg=(\d+)\r")


@dataclass(frozen=True, slots=True)
class Sink:
    """A running relay on loopback that keeps nothing."""

    port: int
    pid: int
    counter: Path
    postfix: bool

    @property
    def name(self) -> str:
        return "smtp-sink" if self.postfix else "our own sink"

    @property
    def yardstick(self) -> str:
        """The name of the yardstick that sends to this sink."""
        return "smtp-source" if self.postfix else "our own source"

    def taken(self) -> int:
        """How many letters it has accepted so far, read from the file that it writes."""
        with self.counter.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - 200, 0))
            counts = _COUNT.findall(file.read())
        return int(counts[-1]) if counts else 0


def postfix_program(name: str) -> str | None:
    """The path of one of Postfix's programs, also searched in /usr/sbin; None without it."""
    return shutil.which(name) or shutil.which(name, path=_POSTFIX_FOLDER)


@contextmanager
def running_sink(ours: bool = False, keep: Path | None = None) -> Iterator[Sink]:
    """A relay on a free port while the block runs; our own where Postfix's is missing, or where `ours`.

    Ours keeps the last letter in a file, if one is named.
    """
    program = None if ours or postfix_program("smtp-source") is None else postfix_program("smtp-sink")
    port = _free_port()
    command: list[object] = [PYTHON, ROOT / "bench" / "sink.py", port, *([keep] if keep else [])]
    if program:
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        command = [program, "-c", *user, f"127.0.0.1:{port}", "512"]
    # In memory where that can be had: the count must not wait for the disk.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        counter = Path(folder) / "counter"
        with counter.open("wb") as out, child_process(*command, stdout=out) as process:
            _wait_open(port, process)
            yield Sink(port, process.pid, counter, program is not None)


def measure_yardstick(sink: Sink, letters: int) -> float:
    """Letters per second from smtp-source, or from our own source, to this sink."""
    command: list[object] = [PYTHON, ROOT / "bench" / "source.py", sink.port, letters]
    if sink.postfix:
        command = [postfix_program("smtp-source"), "-s", SESSIONS, "-l", OCTETS, "-m", letters]
        command += ["-f", "a@example.org", "-t", "b@example.org", f"127.0.0.1:{sink.port}"]
    began = time.perf_counter()
    subprocess.run([str(word) for word in command], check=True, stdin=subprocess.DEVNULL)
    return letters / (time.perf_counter() - began)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_open(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise MeasurementFailed(f"the sink on port {port} does not answer")
