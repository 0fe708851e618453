"""The real service in processes of its own, watched through its log and /proc."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench.figure import MeasurementFailed
from bench.process import PYTHON, ROOT, child_process, peak_mb, process_tree
from bench.workspace import Workspace

TIMEOUT_S = 60
"""Without any progress for so long a run is given up."""
_TIMESTAMP = re.compile(r"timestamp=(\S+)")


@dataclass(frozen=True, slots=True)
class Service:
    """`mailer serve`, running, and the processes it has started."""

    processes: tuple[subprocess.Popen[bytes], ...]
    logs: tuple[Path, ...]

    @property
    def web_port(self) -> int:
        """Where its pages are."""
        found = re.search(r"pages=\"?127\.0\.0\.1:(\d+)", self.wait_for_line("started service", TIMEOUT_S))
        if found is None:
            raise MeasurementFailed(f"the service does not say where its pages are: {self.last_log_lines()}")
        return int(found[1])

    def wait_for_line(self, words: str, patience_s: float) -> str:
        """The first line in any of the logs that holds these words, once it is there."""
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            for log in self.logs:
                for line in log.read_text(errors="replace").splitlines(keepends=True):
                    if words in line and line.endswith("\n"):
                        return line
            self.check_running()
            time.sleep(0.02)
        raise MeasurementFailed(f"the service never said {words!r}: {self.last_log_lines()}")

    def wait_for_time(self, words: str, patience_s: float = TIMEOUT_S) -> float:
        """When it said these words, in seconds since the epoch by its own clock."""
        line = self.wait_for_line(words, patience_s)
        found = _TIMESTAMP.search(line)
        if found is None:
            raise MeasurementFailed(f"a line without its time: {line}")
        return datetime.fromisoformat(found[1]).timestamp()

    def check_running(self) -> None:
        """Broken, with its last words, if a process of it has died."""
        if any(process.poll() is not None for process in self.processes):
            raise MeasurementFailed(f"the service ended: {self.last_log_lines()}")

    def last_log_lines(self) -> str:
        """The last lines of its logs."""
        return "\n".join("\n".join(log.read_text(errors="replace").splitlines()[-15:]) for log in self.logs)

    def warnings(self) -> list[str]:
        """What it warned of."""
        lines = [line for log in self.logs for line in log.read_text(errors="replace").splitlines()]
        return [line for line in lines if "level=warning" in line or "level=error" in line]

    def peaks_mb(self) -> list[float]:
        """The peak memory of each of its processes, the largest first."""
        return sorted((peak_mb(one) for process in self.processes for one in process_tree(process.pid)), reverse=True)


@contextmanager
def running_service(desk: Workspace, workers: int = 1) -> Iterator[Service]:
    """The service while the block runs, with so many processes that send (on SQLite always one); its doors are open."""
    log = desk.folder / "serve.log"
    environment = {**desk.environment, "MAILER_SENDING__WORKERS": str(workers)}
    with log.open("wb") as out:
        command = (PYTHON, "-m", "mailer", "serve")
        with child_process(*command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=out) as process:
            service = Service((process,), (log,))
            service.wait_for_line("started service", TIMEOUT_S)
            if workers > 1:
                service.wait_for_line(
                    "started worker", TIMEOUT_S
                )  # nothing is measured before its children have started
            yield service
