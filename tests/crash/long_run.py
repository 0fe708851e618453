"""The long crash run: a hundred kills over a hundred thousand people, then clean stops; exit 1 if a promise broke.

make crash                                  or: python -m tests.crash.long_run --kills 20 ...
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.crash_harness import addresses, create_installation
from tests.support.crash_kills import SERVE_ALONE, SERVE_AND_WORKER, CrashRun, KillMoment, plan_kills, run_blast

_KILL_MOMENTS = (
    KillMoment.RANDOM,
    KillMoment.BEFORE,
    KillMoment.RANDOM,
    KillMoment.AFTER,
    KillMoment.RECOVERY,
    KillMoment.ANSWERED,
)
_BETWEEN_S = 4.0
"""Where a second process goes on sending, the relay takes its time: about so long from one kill to the next."""
_LAUNCHES = 2
"""So many of the kills come while the audience is frozen, where there are enough of them."""


def main() -> int:
    """Run, print the table, and say by the exit code whether all held."""
    options = _options()
    pair = ", serve and worker" if options.pair else ""
    print_line(f"seed {options.seed} (--seed {options.seed} brings it back), {options.database}{pair}")
    folder = Path(tempfile.mkdtemp(prefix="crash"))
    with _database(options.database) as url:
        broken = asyncio.run(_run_kills_and_stops(folder, url, options))
    if broken:
        print_line(f"BROKEN: {'; '.join(broken)}. Ledger, settings and the relay's log are in {folder}.")
        return 1
    shutil.rmtree(folder)
    print_line("All promises held.")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=100_000, help="how many the campaign goes to")
    parser.add_argument("--kills", type=int, default=100, help="how often the service is killed with -9")
    parser.add_argument(
        "--stops", type=int, default=10, help="how often it is stopped with SIGTERM, in a second campaign"
    )
    parser.add_argument("--connections", type=int, default=50, help="to the relay")
    parser.add_argument(
        "--recovery-s", type=float, help="fail where it takes longer, in the median, from start to first letter"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of all that is left to chance")
    parser.add_argument(
        "--database", default="sqlite", help='"sqlite", "postgresql" (one of its own), or the url of an empty database'
    )
    parser.add_argument(
        "--pair", action="store_true", help="`serve` and a `worker` send, and either is struck; not on SQLite"
    )
    options = parser.parse_args()
    if options.pair and options.database == "sqlite":
        parser.error("on SQLite there is one process")
    if options.people < 4 * options.connections * (max(options.kills, options.stops) + 1):
        parser.error(
            "there are not people enough for so many kills: each wants four letters a connection to come after"
        )
    return options


@contextmanager
def _database(wanted: str) -> Iterator[str]:
    """The url for settings.toml."""
    if wanted == "sqlite":
        yield "sqlite:///mailer.db"
    elif wanted != "postgresql":
        yield wanted
    else:
        import psycopg

        from tests.support.postgres import find_binaries, running_postgres

        binaries = find_binaries()
        if binaries is None:
            sys.exit("no PostgreSQL here: neither the wheel's binaries nor the system's")
        with running_postgres(binaries) as where:
            with psycopg.connect(where.format(name="postgres"), autocommit=True) as connection:
                connection.execute("CREATE DATABASE crash")
                connection.execute("ALTER DATABASE crash SET synchronous_commit = on")
            yield where.format(name="crash")


async def _run_kills_and_stops(folder: Path, url: str, options: argparse.Namespace) -> list[str]:
    """The promises that broke, in words."""
    chance, people = random.Random(options.seed), addresses(options.people)
    house = await create_installation(folder, database=url, connections=options.connections)
    try:
        await house.import_people(people)
        patience_s = 120 + options.people / 100
        commands = SERVE_AND_WORKER if options.pair else SERVE_ALONE
        moments = [_KILL_MOMENTS[number % len(_KILL_MOMENTS)] for number in range(options.kills)]
        chance.shuffle(moments)
        launches = min(_LAUNCHES, options.kills // 10)
        moments[:launches] = [KillMoment.LAUNCH] * launches
        broken = []
        for name, blows in (("kill -9", moments), ("SIGTERM", [KillMoment.STOP] * options.stops)):
            if blows:
                began, taken = time.monotonic(), house.sink.letters
                if options.pair:
                    wait_s = len(commands) * options.connections * _BETWEEN_S * len(blows) / options.people
                    await house.sink.give_order(f"wait {wait_s:.3f}")
                blows_at = plan_kills(options.people, blows, chance, taken, processes=len(commands))
                run = await run_blast(house, people, blows_at, patience_s + _BETWEEN_S * len(blows), commands)
                broken += _report_run(name, run, options, time.monotonic() - began)
        return broken
    finally:
        await house.close()


def _report_run(name: str, run: CrashRun, options: argparse.Namespace, took_s: float) -> list[str]:
    """Print a run's table; what broke."""
    assert run.audit is not None
    broken = run.audit.broken_promises(most_repeats=options.connections * run.killed)
    blows = ", ".join(f"{number} {moment}" for moment, number in sorted(run.kills.items()))
    back_s = sorted(run.first_letter_s) or [0.0]
    lines = [
        (name, f"{sum(run.kills.values())} ({blows}), {took_s:.0f} s"),
        ("people", f"{options.people:,}; by state: {run.status['counts']}"),
        ("lost", f"{len(run.audit.lost)} (promised: 0)"),
        ("repeats", f"{len(run.audit.repeats)} (promised: at most {options.connections * run.killed})"),
        ("not the same octets", f"{len(run.audit.altered)} (promised: 0)"),
        ("not marked in the report", f"{len(run.audit.uncounted)} (promised: 0)"),
        ("repeated in midstream", f"{len(run.audit.repeated_before_last)} (promised: 0)"),
        ("report and relay disagree", f"{len(run.audit.contradicting) + len(run.audit.unexpected)} (promised: 0)"),
        ("start to open", _seconds(run.startup_s)),
        ("start to first letter", f"{_seconds(run.first_letter_s)} (on a machine that does nothing else: under 2 s)"),
    ]
    print_line("\n".join(f"{what:<26} {value}" for what, value in lines) + "\n")
    problems = [f"{name}: {what} {who}" for what, who in broken.items()]
    if sum(run.status["counts"].values()) != options.people:
        problems.append(f"{name}: the states do not add up to the audience: {run.status}")
    if options.recovery_s is not None and statistics.median(back_s) > options.recovery_s:
        problems.append(f"{name}: recovery took {statistics.median(back_s):.1f} s in the median")
    return problems


def _seconds(measured: list[float]) -> str:
    if not measured:
        return "-"
    return f"median {statistics.median(measured):.2f} s, longest {max(measured):.2f} s"


def print_line(line: str) -> None:
    """Tell whoever watches."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
