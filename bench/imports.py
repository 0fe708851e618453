"""Imports of another service's export: how fast, in how much memory, and how long others wait meanwhile."""

from __future__ import annotations

import csv
import os
import random
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from bench.figure import Figure, MeasurementFailed, percentile
from bench.process import PYTHON, ROOT
from bench.service import running_service
from bench.unsubscribe_load import PER_SECOND, unsubscribing
from bench.workloads import BenchmarkRun
from bench.workspace import LIST, Workspace
from mailer.bootstrap import resource_folder
from mailer.store.migration import migrate_database

_OWN = (
    """
    Email Address,First Name,Last Name,Address,Phone Number,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,
    LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION
""".replace("\n    ", "")
    .strip()
    .split(",")
)
_BY_STATUS = {
    "subscribed": (["LAST_CHANGED"], ["2026-01-01 00:00:00"], 0.9),
    "unsubscribed": (["UNSUB_TIME", "UNSUB_REASON"], ["2026-02-02 10:11:12", "NORMAL"], 0.07),
    "cleaned": (["CLEAN_TIME"], ["2026-03-03 01:02:03"], 0.03),
}
"""The columns of a status, their cells, and how many people have it."""
_TABLES = ("subscriber", "subscription", "consent", "import_change")
_FIRST, _LAST = ("Ada", "Rosa", "Emma", "Bea", "Nil", "Noor"), ("Okafor", "Ruiz", "Moreau", "Kaya", "Silva")
_LOADED = 20_000
"""People whose rows the yardstick has in memory at once."""
_IMPORT = "import-from"


def measure_import_from(run: BenchmarkRun) -> Iterator[Figure]:
    """Import Mailchimp's export by the command; the yardstick is a plain loop that writes the same rows."""
    people = run.sizes.import_rows
    export = write_export(run.folder / "audience", people)
    workspace = Workspace(run.folder, run.databases.fresh("sqlite", 1))
    workspace.write_settings(relay_port=run.sink.port)
    began = time.perf_counter()
    peak_mb = _run_import(workspace, export)
    took = time.perf_counter() - began
    written, plain = _plain_loop(Path(workspace.database.removeprefix("sqlite:///")), run.folder / "plain.db")
    yield Figure(
        work=f"import-from of {people:,} people of Mailchimp, SQLite",
        value=people / took,
        unit="people/s",
        yardstick="a plain loop that writes the same rows",
        its_value=written / plain,
        bar=1 / 1.5,
        note=f"{took:.1f} s, the process with its start; the loop {plain:.1f} s",
    )
    yield Figure(
        work=f"peak memory of import-from of {people:,} people",
        value=peak_mb,
        unit="MB",
        bar=200,
        less_is_better=True,
    )


def measure_leaving_during_import(run: BenchmarkRun) -> Iterator[Figure]:
    """Unsubscribe people by the web page while a blast goes out at full speed and an import runs."""
    people = run.sizes.launch
    export = write_export(run.folder / "audience-beside", run.sizes.import_rows)
    workspace = Workspace(run.folder, run.databases.fresh("sqlite", people))
    workspace.write_settings(relay_port=run.sink.port)
    with running_service(workspace) as service:
        campaign_id, taken = workspace.new_campaign(), run.sink.taken()
        workspace.command("campaign", "send", campaign_id, "--now")
        service.wait_for_time("started campaign", 600)
        with unsubscribing(service.web_port, run.databases.keyring, people) as load:
            began = time.time()
            importing = _start_import(workspace, export)
            try:
                while importing.poll() is None and run.sink.taken() - taken < people * 0.95:
                    time.sleep(0.1)
                ended = time.time()
            finally:
                importing.kill()
                importing.wait()
    waits = load.latencies_ms(began, ended)
    if not waits:
        raise MeasurementFailed("the blast was over before anybody left")
    yield Figure(
        work="unsubscribe during an import and a full-speed blast, SQLite: 99th percentile",
        value=percentile(waits, 0.99),
        unit="ms",
        bar=100,
        less_is_better=True,
        note=f"median {percentile(waits, 0.5):.1f}, longest {max(waits):.1f}; {len(waits)} people, {PER_SECOND} a "
        f"second; {len(load.failures)} failed",
    )


def write_export(folder: Path, people: int) -> Path:
    """Write an export like Mailchimp's, of invented people in no order."""
    folder.mkdir()
    chance = random.Random(people)
    for status, (columns, cells, share) in _BY_STATUS.items():
        with (folder / f"{status}_email_audience_export_0a1b2c.csv").open("w", newline="") as out:
            table = csv.writer(out)
            table.writerow([*_OWN, *columns, "LEID", "EUID", "NOTES", "TAGS"])
            for number in range(round(people * share)):
                table.writerow([*_person(chance), *cells, number, f"{number:x}", "", '"Editors","VIP"'])
    return folder


def _person(chance: random.Random) -> list[object]:
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    address = f"{first}.{last}{chance.getrandbits(40):x}@mail{chance.randrange(100)}.example.org".lower()
    day, ip = f"2023-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}", f"192.0.2.{chance.randrange(256)}"
    times = [f"{day} 10:11:12", ip, f"{day} 10:15:00", ip]
    return [address, first, last, "", "", 2, *times, "52.5", "13.4", 1, 2, "Europe/Berlin", "DE", "BE"]


def _start_import(workspace: Workspace, export: Path) -> subprocess.Popen[bytes]:
    command = [PYTHON, "-m", "mailer", _IMPORT, str(export), "--list", LIST, "--yes", "--json"]
    return subprocess.Popen(command, cwd=ROOT, env=workspace.environment, stdout=subprocess.DEVNULL)


def _run_import(workspace: Workspace, export: Path) -> float:
    """Run the command; returns its peak memory in MB."""
    process = _start_import(workspace, export)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise MeasurementFailed(f"mailer {_IMPORT} ended with {process.returncode}")
    return usage.ru_maxrss / 1024


def _plain_loop(imported: Path, copy: Path) -> tuple[int, float]:
    """Write what was imported into an empty database, person by person in one transaction: (people, seconds).

    Reading it is not counted.
    """
    migrate_database(f"sqlite:///{copy}", resource_folder("migrations"))
    with closing(sqlite3.connect(imported)) as source, closing(sqlite3.connect(copy, isolation_level=None)) as plain:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = OFF"):
            plain.execute(f"PRAGMA {pragma}")
        statements = {name: _insert(source, name) for name in (*_TABLES, "suppression")}
        highest = source.execute("SELECT max(id) FROM subscriber").fetchone()[0]
        spent, people = 0.0, 0
        plain.execute("BEGIN IMMEDIATE")
        for first in range(1, highest + 1, _LOADED):
            rows = _load(source, first, first + _LOADED - 1)
            began = time.perf_counter()
            for name, row in rows:
                plain.execute(statements[name], row)
            spent += time.perf_counter() - began
            people += sum(name == "subscriber" for name, _ in rows)
        began = time.perf_counter()
        plain.execute("COMMIT")
        return people, spent + time.perf_counter() - began


def _insert(source: sqlite3.Connection, table: str) -> str:
    columns = source.execute(f"SELECT count(*) FROM pragma_table_info('{table}')").fetchone()[0]
    return f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})"


def _load(source: sqlite3.Connection, first: int, last: int) -> list[tuple[str, Any]]:
    """The rows of these people, each person's beside each other."""
    found: dict[int, list[tuple[str, Any]]] = {}
    for table in _TABLES:
        number = "id" if table == "subscriber" else "subscriber_id"
        query = f"SELECT {number}, * FROM {table} WHERE {number} BETWEEN ? AND ?"
        for person, *row in source.execute(query, (first, last)):
            found.setdefault(person, []).append((table, row))
    query = (
        "SELECT subscriber.id, suppression.* FROM subscriber JOIN suppression USING (suppression_key) "
        "WHERE subscriber.id BETWEEN ? AND ?"
    )
    for person, *row in source.execute(query, (first, last)):
        found[person].append(("suppression", row))
    return [row for person in sorted(found) for row in found[person]]
