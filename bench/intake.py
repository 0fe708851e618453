"""Workload: incoming mail, each stored before its 250, compared with a plain aiosmtpd that discards it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.cpu_meter import start_meter
from bench.figure import Figure, MeasurementFailed
from bench.process import PYTHON, ROOT, child_process
from bench.service import TIMEOUT_S, running_service
from bench.workloads import DATABASE_NAMES, BenchmarkRun
from bench.workspace import DOMAIN, LIST, Workspace
from mailer.store import incoming_mails

_TO = f"{LIST}-owner@{DOMAIN}"
_HERE = Path(__file__).parent
_BASELINE = "bare aiosmtpd"


def measure_intake(run: BenchmarkRun, kind: str, once: bool = False) -> Iterator[Figure]:
    """Send small mails on 20 connections that stay open, or one mail per connection if `once`."""
    mails = run.sizes.mails // (4 if once else 1)
    with _running_baseline() as port:
        before = _measure_rate(port, mails, once)
        workspace = Workspace(run.folder, run.databases.fresh(kind, 1))
        workspace.write_settings(relay_port=run.sink.port)
        server = run.databases.server_pid if kind == "postgresql" else None
        with running_service(workspace) as service:
            meter = start_meter(service, server_pid=server)
            found = re.search(r"intake=\"?127\.0\.0\.1:(\d+)", service.wait_for_line("started service", TIMEOUT_S))
            if found is None:
                raise MeasurementFailed(
                    f"the service does not log the port of its SMTP server: {service.last_log_lines()}"
                )
            rate = _measure_rate(int(found[1]), mails, once)
            spent = meter.read()
        kept = workspace.run_action(lambda app: app.database.read(incoming_mails.count_all))
        if kept != mails:
            raise MeasurementFailed(f"of {mails} mails that were answered 250, {kept} were written down")
        after = _measure_rate(port, mails, once)
    how = "each on its own connection" if once else "20 connections"
    yield Figure(
        work=f"{mails:,} mails of 2 kB come in, {how}, {DATABASE_NAMES[kind]}",
        value=rate,
        unit="mails/s",
        yardstick=_BASELINE,
        its_value=(before + after) / 2,
        bar=0.5,
        aim=1.0,
        cpu_us=spent.us_per_item(mails),
        note="; ".join([f"{_BASELINE} {before:,.0f} before and {after:,.0f} after", *spent.remarks]),
    )


def _measure_rate(port: int, mails: int, once: bool) -> float:
    """Mails per second, each answered 250."""
    command = [PYTHON, _HERE / "smtp_load.py", port, mails, _TO, *(["once"] if once else [])]
    load_run = subprocess.run([str(word) for word in command], capture_output=True, check=False, cwd=ROOT)
    if load_run.returncode != 0:
        raise MeasurementFailed(f"mail was not taken: {load_run.stderr.decode()}")
    return mails / float(load_run.stdout)


@contextmanager
def _running_baseline() -> Iterator[int]:
    """Run the yardstick while the block runs; gives its port."""
    with child_process(PYTHON, _HERE / "aiosmtpd_baseline.py", stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
