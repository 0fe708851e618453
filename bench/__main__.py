"""`make bench`, or python -m bench: measure the real service, and write bench/results/."""

from __future__ import annotations

import argparse
import signal
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from bench.bounce_parsing import reading_returns
from bench.databases import ledgers
from bench.figure import Broken, Figure, Skipped
from bench.intake import taking_in
from bench.machine import look_at
from bench.process import ROOT
from bench.relay import sink
from bench.results import told, write_results
from bench.workloads import Run, Sizes, importing, launching, leaving_meanwhile, sending
from bench.workspace import init

QUICK = Sizes(
    blast=20_000, other_blasts=20_000, launch=20_000, import_rows=20_000, leaving_s=5, yardstick=10_000, mails=8_000
)
USUAL = Sizes(
    blast=50_000, other_blasts=30_000, launch=200_000, import_rows=100_000, leaving_s=15, yardstick=20_000, mails=20_000
)
FULL = Sizes(
    blast=1_000_000,
    other_blasts=200_000,
    launch=1_000_000,
    import_rows=100_000,
    leaving_s=60,
    yardstick=40_000,
    mails=80_000,
)
WORKS: dict[str, Callable[[Run], Iterable[Figure]]] = {
    "import": importing,
    "sqlite": partial(sending, kind="sqlite", signed=False),
    "sqlite-signed": partial(sending, kind="sqlite", signed=True),
    "postgresql": partial(sending, kind="postgresql", signed=False),
    "postgresql-signed": partial(sending, kind="postgresql", signed=True),
    "launch": partial(launching, kind="sqlite"),
    "launch-postgresql": partial(launching, kind="postgresql"),
    "leaving": partial(leaving_meanwhile, kind="sqlite"),
    "leaving-postgresql": partial(leaving_meanwhile, kind="postgresql"),
    "intake": partial(taking_in, kind="sqlite"),
    "intake-once": partial(taking_in, kind="sqlite", once=True),
    "intake-postgresql": partial(taking_in, kind="postgresql"),
    "returns": reading_returns,
}

_BROKEN = "BROKEN: "


def main(words: list[str] | None = None) -> None:
    """Measure what is asked for; one line a figure on stdout, and the results in a folder."""
    asked = _options().parse_args(words)
    sizes = QUICK if asked.quick else FULL if asked.full else USUAL
    signal.signal(signal.SIGTERM, _stop)  # so that every child is ended
    signal.signal(signal.SIGHUP, _stop)
    measure(asked.only or list(WORKS), sizes, asked.results, server=asked.database, workers=asked.workers)


def measure(
    names: Iterable[str],
    sizes: Sizes,
    results: Path,
    *,
    server: str | None = None,
    workers: int = 2,
    our_sink: bool = False,
) -> list[Figure]:
    """Do these works one after the other; all that was found is written after each.

    SystemExit(1), at the end, if the service did not do what it should.
    """
    figures: list[Figure] = []
    skipped: list[Skipped] = []
    with tempfile.TemporaryDirectory(prefix="mailer-bench-") as name, sink(ours=our_sink) as relay:
        folder = Path(name)
        machine = look_at(folder)
        for what, much in machine.told():
            print(f"{what}: {much}", flush=True)
        with ledgers(folder, init(folder), server) as made:
            run = Run(sizes, folder, made, relay, machine, workers)
            for work in names:
                try:
                    for figure in WORKS[work](run):
                        figures.append(figure)
                        print(told(figure), flush=True)
                except (LookupError, Broken) as why:
                    told_why = _BROKEN + str(why) if isinstance(why, Broken) else str(why)
                    skipped.append(Skipped(work, told_why))
                    print(f"{work}: not measured: {told_why}", flush=True)
                write_results(results, machine, figures, skipped, run.curves)
    if any(one.why.startswith(_BROKEN) for one in skipped):
        raise SystemExit(1)
    return figures


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    size = options.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help=f"{QUICK.blast:,} people")
    size.add_argument(
        "--full", action="store_true", help=f"{FULL.blast:,} people: the sizes that the bars are meant for; long"
    )
    options.add_argument("--only", nargs="+", choices=WORKS, metavar="WORK", help=f"of {', '.join(WORKS)}")
    options.add_argument(
        "--database", metavar="URL", help="a PostgreSQL where we may make databases (else one is started)"
    )
    options.add_argument("--workers", type=int, default=2, help="processes that send on PostgreSQL (2)")
    options.add_argument("--results", type=Path, default=ROOT / "bench" / "results", help="where they are written")
    return options


def _stop(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
