"""The real service in processes of its own, observed through its log and /proc."""

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
"""A run without any progress for so long fails."""
_TIMESTAMP = re.compile(r"timestamp=(\S+)")


@dataclass(frozen=True, slots=True)
class Service:
    """A running `mailer serve` with its child processes."""

    processes: tuple[subprocess.Popen[bytes], ...]
    logs: tuple[Path, ...]

    @property
    def web_port(self) -> int:
        """The port of its web pages."""
        found = re.search(r"pages=\"?127\.0\.0\.1:(\d+)", self.wait_for_line("started service", TIMEOUT_S))
        if found is None:
            raise MeasurementFailed(f"the service does not log the port of its web pages: {self.last_log_lines()}")
        return int(found[1])

    def wait_for_line(self, text: str, timeout_s: float) -> str:
        """Wait for the first log line that contains `text`. MeasurementFailed after `timeout_s`."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            for log in self.logs:
                for line in log.read_text(errors="replace").splitlines(keepends=True):
                    if text in line and line.endswith("\n"):
                        return line
            self.check_running()
            time.sleep(0.02)
        raise MeasurementFailed(f"the service never logged {text!r}: {self.last_log_lines()}")

    def wait_for_time(self, text: str, timeout_s: float = TIMEOUT_S) -> float:
        """Wait for a log line that contains `text`; its timestamp in seconds since the epoch."""
        line = self.wait_for_line(text, timeout_s)
        found = _TIMESTAMP.search(line)
        if found is None:
            raise MeasurementFailed(f"a log line without a timestamp: {line}")
        return datetime.fromisoformat(found[1]).timestamp()

    def check_running(self) -> None:
        """MeasurementFailed, with the last log lines, if one of its processes has ended."""
        if any(process.poll() is not None for process in self.processes):
            raise MeasurementFailed(f"the service ended: {self.last_log_lines()}")

    def last_log_lines(self) -> str:
        """The last lines of its logs."""
        return "\n".join("\n".join(log.read_text(errors="replace").splitlines()[-15:]) for log in self.logs)

    def warnings(self) -> list[str]:
        """The warnings and errors in its logs."""
        lines = [line for log in self.logs for line in log.read_text(errors="replace").splitlines()]
        return [line for line in lines if "level=warning" in line or "level=error" in line]

    def peaks_mb(self) -> list[float]:
        """The peak memory of each of its processes in MB, the largest first."""
        return sorted((peak_mb(one) for process in self.processes for one in process_tree(process.pid)), reverse=True)


@contextmanager
def running_service(workspace: Workspace, workers: int = 1) -> Iterator[Service]:
    """Run the service while the block runs, its ports open, with `workers` sending processes (on SQLite always 1)."""
    log = workspace.folder / "serve.log"
    environment = {**workspace.environment, "MAILER_SENDING__WORKERS": str(workers)}
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
