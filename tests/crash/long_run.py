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

from tests.support.crash_harness import everyone, open_house
from tests.support.crash_kills import SERVE_ALONE, SERVE_AND_WORKER, Moment, Run, blast, plan

_MIX = (Moment.RANDOM, Moment.BEFORE, Moment.RANDOM, Moment.AFTER, Moment.RECOVERY, Moment.ANSWERED)
_BETWEEN_S = 4.0
"""Where a second process goes on sending, the relay takes its time: about so long from one kill to the next."""
_LAUNCHES = 2
"""So many of the kills come while the audience is frozen, where there are enough of them."""


def main() -> int:
    """Run, print the table, and say by the exit code whether all held."""
    options = _options()
    pair = ", serve and worker" if options.pair else ""
    say(f"seed {options.seed} (--seed {options.seed} brings it back), {options.database}{pair}")
    folder = Path(tempfile.mkdtemp(prefix="crash"))
    with _database(options.database) as url:
        broken = asyncio.run(_both_runs(folder, url, options))
    if broken:
        say(f"BROKEN: {'; '.join(broken)}. Ledger, settings and the relay's log are in {folder}.")
        return 1
    shutil.rmtree(folder)
    say("All promises held.")
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


async def _both_runs(folder: Path, url: str, options: argparse.Namespace) -> list[str]:
    """The promises that broke, in words."""
    chance, people = random.Random(options.seed), everyone(options.people)
    house = await open_house(folder, database=url, connections=options.connections)
    try:
        await house.takes_in(people)
        patience_s = 120 + options.people / 100
        commands = SERVE_AND_WORKER if options.pair else SERVE_ALONE
        moments = [_MIX[number % len(_MIX)] for number in range(options.kills)]
        chance.shuffle(moments)
        launches = min(_LAUNCHES, options.kills // 10)
        moments[:launches] = [Moment.LAUNCH] * launches
        broken = []
        for name, blows in (("kill -9", moments), ("SIGTERM", [Moment.STOP] * options.stops)):
            if blows:
                began, taken = time.monotonic(), house.sink.letters
                if options.pair:
                    wait_s = len(commands) * options.connections * _BETWEEN_S * len(blows) / options.people
                    await house.sink.obeys(f"wait {wait_s:.3f}")
                blows_at = plan(options.people, blows, chance, taken, processes=len(commands))
                run = await blast(house, people, blows_at, patience_s + _BETWEEN_S * len(blows), commands)
                broken += _told(name, run, options, time.monotonic() - began)
        return broken
    finally:
        await house.closes()


def _told(name: str, run: Run, options: argparse.Namespace, took_s: float) -> list[str]:
    """Print a run's table; what broke."""
    assert run.found is not None
    broken = run.found.broken(most_repeats=options.connections * run.killed)
    blows = ", ".join(f"{number} {moment}" for moment, number in sorted(run.kills.items()))
    back_s = sorted(run.first_letter_s) or [0.0]
    lines = [
        (name, f"{sum(run.kills.values())} ({blows}), {took_s:.0f} s"),
        ("people", f"{options.people:,}; by state: {run.status['counts']}"),
        ("lost", f"{len(run.found.lost)} (promised: 0)"),
        ("repeats", f"{len(run.found.repeats)} (promised: at most {options.connections * run.killed})"),
        ("not the same octets", f"{len(run.found.altered)} (promised: 0)"),
        ("not marked in the report", f"{len(run.found.unmarked)} (promised: 0)"),
        ("repeated in midstream", f"{len(run.found.in_midstream)} (promised: 0)"),
        ("report and relay disagree", f"{len(run.found.disagreeing) + len(run.found.strangers)} (promised: 0)"),
        ("start to open", _seconds(run.opened_s)),
        ("start to first letter", f"{_seconds(run.first_letter_s)} (on a machine that does nothing else: under 2 s)"),
    ]
    say("\n".join(f"{what:<26} {value}" for what, value in lines) + "\n")
    told = [f"{name}: {what} {who}" for what, who in broken.items()]
    if sum(run.status["counts"].values()) != options.people:
        told.append(f"{name}: the states do not add up to the audience: {run.status}")
    if options.recovery_s is not None and statistics.median(back_s) > options.recovery_s:
        told.append(f"{name}: recovery took {statistics.median(back_s):.1f} s in the median")
    return told


def _seconds(measured: list[float]) -> str:
    if not measured:
        return "-"
    return f"median {statistics.median(measured):.2f} s, longest {max(measured):.2f} s"


def say(line: str) -> None:
    """Tell whoever watches."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
