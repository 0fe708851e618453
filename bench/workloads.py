"""The workloads: each is a function of the run that yields its figures."""

from __future__ import annotations

import csv
import io
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.blast import BlastResult, run_blast
from bench.cpu_meter import start_meter
from bench.databases import Databases
from bench.figure import Curve, Figure, percentile
from bench.machine import Machine, signatures_per_s
from bench.relay import Sink
from bench.sample import sample_letter
from bench.service import running_service
from bench.unsubscribe_load import PER_SECOND, unsubscribing
from bench.workspace import ADMIN, LIST, Workspace
from mailer.actions.imports.import_people import import_people
from mailer.domain.consent import Channel, Evidence

DATABASE_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """The sizes of the workloads, in people, letters, rows or mails."""

    blast: int
    other_blasts: int
    """People of the signed blast, and of those on PostgreSQL."""
    launch: int
    import_rows: int
    leaving_s: float
    """Seconds of a blast in which people unsubscribe."""
    yardstick: int
    mails: int
    """Incoming mails."""
    console_people: int
    """People whose organisers open pages; each got twenty letters."""


@dataclass(frozen=True, slots=True)
class BenchmarkRun:
    """What all workloads of one run share."""

    sizes: Sizes
    folder: Path
    databases: Databases
    sink: Sink
    machine: Machine
    workers: int
    blasts: dict[tuple[str, bool], BlastResult] = field(default_factory=dict)
    curves: list[Curve] = field(default_factory=list)


def measure_import(run: BenchmarkRun) -> Iterator[Figure]:
    """Import a table of people; the yardstick is a plain loop from csv to sqlite3."""
    people = run.sizes.import_rows
    table = _write_table(run.folder / "people.csv", people)
    began = time.perf_counter()
    _plain_insert(run.folder / "plain.db", table)
    plain = people / (time.perf_counter() - began)
    workspace = Workspace(run.folder, run.databases.fresh("sqlite", 1))
    workspace.write_settings(relay_port=run.sink.port)
    began = time.perf_counter()
    with table.open(newline="") as file:
        workspace.run_action(
            lambda app: import_people(app, ADMIN, list_name=LIST, file=file, evidence=Evidence(Channel.IMPORT, {}))
        )
    rate = people / (time.perf_counter() - began)
    yield Figure(
        work=f"import of {people:,} rows, SQLite",
        value=rate,
        unit="rows/s",
        yardstick="csv to sqlite3",
        its_value=plain,
    )


def measure_sending(run: BenchmarkRun, kind: str, signed: bool) -> Iterator[Figure]:
    """Send a personalised campaign; the first also yields evenness and memory. LookupError if it cannot run here."""
    first = (kind, signed) == ("sqlite", False)
    people = run.sizes.blast if first else run.sizes.other_blasts
    workers = _worker_count(run, kind)
    signs = signatures_per_s() if signed and kind == "sqlite" else 0.0
    letter = len(sample_letter(run.folder, run.databases.fresh("sqlite", 1), signed))
    workspace = Workspace(run.folder, run.databases.fresh(kind, people))
    workspace.write_settings(relay_port=run.sink.port, signed=signed)
    server = run.databases.server_pid if kind == "postgresql" else None
    result = run_blast(
        workspace, run.sink, people, workers=workers, server_pid=server, yardstick_letters=run.sizes.yardstick
    )
    run.blasts[kind, signed] = result
    title = f"{'signed RSA-2048' if signed else 'unsigned'}, {DATABASE_NAMES[kind]}"
    title += f", {workers} processes that send" if workers > 1 else ""
    run.curves.append(Curve(title=title, points=result.points, yardstick=run.sink.yardstick, its_rate=result.yardstick))
    yardsticks = " before and ".join(f"{rate:,.0f}" for rate in result.yardsticks)
    notes = [f"{letter:,} octets a letter", f"{run.sink.yardstick} {yardsticks} after"]
    notes += result.cpu_usage.remarks
    notes += [f"{len(result.warnings)} warnings: {result.warnings[0]}"] if result.warnings else []
    yardstick, its_value, bar, aim = _choose_yardstick(run, kind, signed, signs)
    yield Figure(
        work=f"{people:,} letters, {title}",
        value=result.rate,
        unit="letters/s",
        yardstick=yardstick,
        its_value=its_value or None,
        bar=bar if its_value else None,
        aim=aim if its_value else None,
        cpu_us=result.cpu_usage.us_per_item(people),
        note="; ".join(notes),
        details={"yardsticks": result.yardsticks, "peaks_mb": result.peaks_mb, "letter_octets": letter},
    )
    yield from _evenness_and_memory(result) if first else _memory_figure(result, title)


def _worker_count(run: BenchmarkRun, kind: str) -> int:
    """How many processes send on this kind of database."""
    return run.workers if kind == "postgresql" else 1


def _choose_yardstick(run: BenchmarkRun, kind: str, signed: bool, signs: float) -> tuple[str, float, float, float]:
    """(yardstick, its value, bar, aim); the value is 0 if the yardstick was not measured in this run."""
    if kind == "postgresql":
        sqlite = run.blasts.get(("sqlite", signed))
        return "the same on SQLite", sqlite.rate if sqlite else 0.0, 0.8, 1.0
    if signed:
        cores = run.machine.cores
        return f"{cores} x openssl speed", cores * signs, 0.45, 0.65
    return run.sink.yardstick, run.blasts[kind, signed].yardstick, 0.6, 1.0


def _evenness_and_memory(result: BlastResult) -> Iterator[Figure]:
    part = min(100_000, result.people // 10)
    first, last = result.rate_between(1, part), result.rate_between(result.people - part, result.people)
    yield Figure(
        work=f"last {part:,} of {result.people:,} against the first",
        value=last,
        unit="letters/s",
        yardstick="the first",
        its_value=first,
        bar=0.9,
    )
    yield from _memory_figure(result, "SQLite", bar=200, aim=100)


def _memory_figure(
    result: BlastResult, title: str, bar: float | None = None, aim: float | None = None
) -> Iterator[Figure]:
    yield Figure(
        work=f"peak memory of the sending process at {result.people:,}, {title}",
        value=result.peaks_mb[0],
        unit="MB",
        bar=bar,
        aim=aim,
        less_is_better=True,
        note=f"all {len(result.peaks_mb)} processes {sum(result.peaks_mb):,.0f} MB" if len(result.peaks_mb) > 1 else "",
    )


def measure_launch(run: BenchmarkRun, kind: str) -> Iterator[Figure]:
    """Launch a campaign, from `launching` to `sending`, while nothing else runs."""
    people = run.sizes.launch
    workspace = Workspace(run.folder, run.databases.fresh(kind, people))
    workspace.write_settings(relay_port=run.sink.port)
    server = run.databases.server_pid if kind == "postgresql" else None
    with running_service(workspace) as service:
        campaign_id = workspace.new_campaign()
        meter = start_meter(service, server_pid=server)
        workspace.command("campaign", "send", campaign_id, "--now")
        done = service.wait_for_time("started campaign", 600)
        spent = meter.read()
        took = done - _launched_at(workspace, campaign_id)
    yield Figure(
        work=f"launch of {people:,} recipients, {DATABASE_NAMES[kind]}",
        value=people / took,
        unit="deliveries/s",
        bar=200_000 if kind == "sqlite" else 100_000,
        aim=500_000,
        cpu_us=spent.us_per_item(people),
        note="; ".join([f"{took:.2f} s", *spent.remarks]),
    )


def measure_unsubscribes(run: BenchmarkRun, kind: str) -> Iterator[Figure]:
    """Unsubscribe people by the web page during a launch, then during a blast at full speed."""
    people = run.sizes.launch
    workspace = Workspace(run.folder, run.databases.fresh(kind, people))
    workspace.write_settings(relay_port=run.sink.port)
    with running_service(workspace, _worker_count(run, kind)) as service:
        campaign_id, port, taken = workspace.new_campaign(), service.web_port, run.sink.taken()
        with unsubscribing(port, run.databases.keyring, people) as load:
            workspace.command("campaign", "send", campaign_id, "--now")
            launched = service.wait_for_time("started campaign", 600)
            over = time.time() + run.sizes.leaving_s
            while time.time() < over and run.sink.taken() - taken < people * 0.95:
                time.sleep(0.1)
            ended = time.time()
        began = _launched_at(workspace, campaign_id)
    spans = {"the launch": (began, launched), "a full-speed blast": (launched, ended)}
    for what, (since, until) in spans.items():
        waits = load.latencies_ms(since, until)
        failed = [trouble for pressed, trouble in load.failures if since <= pressed < until]
        if waits:
            yield Figure(
                work=f"unsubscribe during {what}, {DATABASE_NAMES[kind]}: 99th percentile",
                value=percentile(waits, 0.99),
                unit="ms",
                bar=100,
                aim=20,
                less_is_better=True,
                note=f"median {percentile(waits, 0.5):.1f}, longest {max(waits):.1f}; {len(waits)} people, "
                f"{PER_SECOND} a second" + (f"; {len(failed)} failed, one {failed[0]}" if failed else ""),
            )


def _launched_at(workspace: Workspace, campaign_id: int) -> float:
    at = workspace.status(campaign_id).campaign.launched_at
    assert at is not None
    return at.timestamp()


def _write_table(file: Path, people: int) -> Path:
    """Write a CSV table of `people` invented people."""
    with file.open("w", newline="") as out:
        rows = ((f"someone{n}@mail{n % 100}.example.org", f"Person {n}", "en", f"Town {n % 50}") for n in range(people))
        csv.writer(out).writerows([("email", "name", "language", "town"), *rows])
    return file


def _plain_insert(database: Path, table: Path) -> None:
    """The yardstick of imports: insert the same rows into one table with a unique index, in one transaction."""
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE people (email TEXT UNIQUE, name TEXT, language TEXT, town TEXT)")
        rows = csv.reader(io.StringIO(table.read_text()))
        connection.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", rows)
