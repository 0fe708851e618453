"""How fast mail comes in: the real door, which writes each down before its 250, against one that throws mail away."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.cpu_meter import start_meter
from bench.figure import Broken, Figure
from bench.process import PYTHON, ROOT, child
from bench.service import PATIENCE_S, running
from bench.workloads import NAMES, Run
from bench.workspace import DOMAIN, LIST, Desk
from mailer.store import incoming_mails

_TO = f"{LIST}-owner@{DOMAIN}"
_HERE = Path(__file__).parent
_YARDSTICK = "bare aiosmtpd"


def taking_in(run: Run, kind: str, once: bool = False) -> Iterator[Figure]:
    """Small mails on twenty connections, which stay open or carry one mail each; acted on meanwhile, as ever."""
    mails = run.sizes.mails // (4 if once else 1)
    with _bare() as port:
        before = _rate(port, mails, once)
        desk = Desk(run.folder, run.ledgers.fresh(kind, 1))
        desk.write_settings(relay_port=run.sink.port)
        server = run.ledgers.server_pid if kind == "postgresql" else None
        with running(desk) as service:
            meter = start_meter(service, server_pid=server)
            found = re.search(r"intake=\"?127\.0\.0\.1:(\d+)", service.says("event=open", PATIENCE_S))
            if found is None:
                raise Broken(f"the service does not say where its mail door is: {service.told()}")
            rate = _rate(int(found[1]), mails, once)
            spent = meter.read()
        kept = desk.act(lambda app: app.database.read(incoming_mails.kept))
        if kept != mails:
            raise Broken(f"of {mails} mails that were answered 250, {kept} were written down")
        after = _rate(port, mails, once)
    how = "each on its own connection" if once else "20 connections"
    yield Figure(
        work=f"{mails:,} mails of 2 kB come in, {how}, {NAMES[kind]}",
        value=rate,
        unit="mails/s",
        yardstick=_YARDSTICK,
        its_value=(before + after) / 2,
        bar=0.5,
        aim=1.0,
        cpu_us=spent.us_each(mails),
        note="; ".join([f"{_YARDSTICK} {before:,.0f} before and {after:,.0f} after", *spent.remarks]),
    )


def _rate(port: int, mails: int, once: bool) -> float:
    """Mails a second, each answered 250."""
    command = [PYTHON, _HERE / "smtp_load.py", port, mails, _TO, *(["once"] if once else [])]
    told = subprocess.run([str(word) for word in command], capture_output=True, check=False, cwd=ROOT)
    if told.returncode != 0:
        raise Broken(f"mail was not taken: {told.stderr.decode()}")
    return mails / float(told.stdout)


@contextmanager
def _bare() -> Iterator[int]:
    """The yardstick's port, while the block runs."""
    with child(PYTHON, _HERE / "aiosmtpd_baseline.py", stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
