"""`make bench`, or python -m bench: measure the real service, and write bench/results/."""

from __future__ import annotations

import argparse
import signal
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from bench.bounce_parsing import measure_bounce_parsing
from bench.console import measure_console
from bench.databases import open_databases
from bench.figure import Figure, MeasurementFailed, Skipped
from bench.imports import measure_import_from, measure_leaving_during_import
from bench.intake import measure_intake
from bench.letters import measure_letters
from bench.machine import inspect_machine
from bench.process import ROOT
from bench.relay import running_sink
from bench.results import format_figure, write_results
from bench.workloads import BenchmarkRun, Sizes, measure_import, measure_launch, measure_sending, measure_unsubscribes
from bench.workspace import create_secret

QUICK = Sizes(
    blast=20_000,
    other_blasts=20_000,
    launch=20_000,
    import_rows=20_000,
    leaving_s=5,
    yardstick=10_000,
    mails=8_000,
    console_people=100_000,
)
USUAL = Sizes(
    blast=50_000,
    other_blasts=30_000,
    launch=200_000,
    import_rows=100_000,
    leaving_s=15,
    yardstick=20_000,
    mails=20_000,
    console_people=100_000,
)
FULL = Sizes(
    blast=1_000_000,
    other_blasts=200_000,
    launch=1_000_000,
    import_rows=1_000_000,
    leaving_s=60,
    yardstick=40_000,
    mails=80_000,
    console_people=1_000_000,
)
WORKLOADS: dict[str, Callable[[BenchmarkRun], Iterable[Figure]]] = {
    "import": measure_import,
    "import-from": measure_import_from,
    "sqlite": partial(measure_sending, kind="sqlite", signed=False),
    "sqlite-signed": partial(measure_sending, kind="sqlite", signed=True),
    "postgresql": partial(measure_sending, kind="postgresql", signed=False),
    "postgresql-signed": partial(measure_sending, kind="postgresql", signed=True),
    "launch": partial(measure_launch, kind="sqlite"),
    "launch-postgresql": partial(measure_launch, kind="postgresql"),
    "leaving": partial(measure_unsubscribes, kind="sqlite"),
    "leaving-import": measure_leaving_during_import,
    "leaving-postgresql": partial(measure_unsubscribes, kind="postgresql"),
    "intake": partial(measure_intake, kind="sqlite"),
    "intake-once": partial(measure_intake, kind="sqlite", once=True),
    "intake-postgresql": partial(measure_intake, kind="postgresql"),
    "console": partial(measure_console, kind="sqlite"),
    "console-postgresql": partial(measure_console, kind="postgresql"),
    "letters": measure_letters,
    "returns": measure_bounce_parsing,
}

_BROKEN = "BROKEN: "


def main(arguments: list[str] | None = None) -> None:
    """Measure the workloads of the command line: print a line for each figure, write the results into a folder."""
    given = _options().parse_args(arguments)
    sizes = QUICK if given.quick else FULL if given.full else USUAL
    signal.signal(signal.SIGTERM, _exit_on_signal)  # so that every child is ended
    signal.signal(signal.SIGHUP, _exit_on_signal)
    measure(given.only or list(WORKLOADS), sizes, given.results, server=given.database, workers=given.workers)


def measure(
    names: Iterable[str],
    sizes: Sizes,
    results: Path,
    *,
    server: str | None = None,
    workers: int = 2,
    our_sink: bool = False,
) -> list[Figure]:
    """Run these workloads one after the other, and write all results so far after each.

    SystemExit(1), at the end, if the service did not do what it should.
    """
    figures: list[Figure] = []
    skipped: list[Skipped] = []
    with tempfile.TemporaryDirectory(prefix="mailer-bench-") as name, running_sink(ours=our_sink) as relay:
        folder = Path(name)
        machine = inspect_machine(folder)
        for what, much in machine.described():
            print(f"{what}: {much}", flush=True)
        with open_databases(folder, create_secret(folder), server) as made:
            run = BenchmarkRun(sizes, folder, made, relay, machine, workers)
            for work in names:
                try:
                    for figure in WORKLOADS[work](run):
                        figures.append(figure)
                        print(format_figure(figure), flush=True)
                except (LookupError, MeasurementFailed) as why:
                    reason = _BROKEN + str(why) if isinstance(why, MeasurementFailed) else str(why)
                    skipped.append(Skipped(work, reason))
                    print(f"{work}: not measured: {reason}", flush=True)
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
    options.add_argument("--only", nargs="+", choices=WORKLOADS, metavar="WORK", help=f"of {', '.join(WORKLOADS)}")
    options.add_argument(
        "--database", metavar="URL", help="a PostgreSQL where we may make databases (else one is started)"
    )
    options.add_argument("--workers", type=int, default=2, help="processes that send on PostgreSQL (2)")
    options.add_argument("--results", type=Path, default=ROOT / "bench" / "results", help="where they are written")
    return options


def _exit_on_signal(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main()
