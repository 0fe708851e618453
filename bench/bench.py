"""How fast the service is, as ratios to yardsticks of the same run: `make bench`, or python bench/bench.py [PEOPLE]."""

from __future__ import annotations

import asyncio
import csv
import io
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import aiosmtplib
import uvloop

from mailer.actions.posting.desk import enter
from mailer.actions.sending.launch import launch_due
from mailer.actions.sending.schedule import send_now
from mailer.actions.sending.send import send
from mailer.actions.writing.add_list import add_list
from mailer.actions.writing.import_people import import_people
from mailer.actions.writing.new_campaign import new_campaign
from mailer.app import App, resource
from mailer.domain.consent import Evidence, Way
from mailer.domain.keyring import Keyring
from mailer.mail.letterhead import House
from mailer.mail.template import Templates
from mailer.relay.connection import Relay
from mailer.relay.route import Priority
from mailer.store.database import Database
from mailer.store.migration import bring_up_to_date

CONNECTIONS = 50
YARDSTICK_LETTERS = 4000
MANUSCRIPT = "---\nsubject: Come to the harvest forum\nlead: One evening on seeds.\n---\n" + (
    'Dear {{ name or "friend" }},\n\n' + "bring **your own** seeds, and a chair for a friend. " * 12 + "\n"
)


def main() -> None:
    """Run everything and print one line a figure."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as folder, sink() as port:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(measure(Path(folder), port, people))


@contextmanager
def sink() -> Iterator[int]:
    """A fast relay in another process; its port."""
    with subprocess.Popen([sys.executable, Path(__file__).with_name("sink.py")], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.kill()


async def measure(folder: Path, port: int, people: int) -> None:
    """Import, launch and send to so many people, each against its yardstick."""
    table = write_table(folder / "people.csv", people)
    app = open_bench(folder, port)
    await add_list(app, name="bench", title="Bench", owner="ada@example.org")

    plain = timed(lambda: plain_insert(folder / "plain.db", table))
    began = time.perf_counter()
    with table.open(newline="") as file:
        await import_people(app, list_name="bench", file=file, evidence=Evidence(Way.IMPORT, {}))
    told("import", people, time.perf_counter() - began, "rows", "a bare csv to sqlite3 loop", people / plain)

    with probing(folder / "mailer.db") as waits:
        number = await new_campaign(app, list_name="bench", texts={"bench.md": MANUSCRIPT})
        await send_now(app, number, wait_s=0)
        began = time.perf_counter()
        await launch_due(app)
        told("launch", people, time.perf_counter() - began, "deliveries", "that loop", people / plain)
        yardstick = await as_it_comes(port)
        sender = await enter(app, Priority.CAMPAIGNS)
        began = time.perf_counter()
        await send(sender)
        told("send", people, time.perf_counter() - began, "letters", "aiosmtplib as it comes", yardstick)
    print(f"longest wait for the write lock while launching and sending: {max(waits) * 1000:.0f} ms")
    await app.close()


def told(what: str, number: int, took: float, unit: str, yardstick: str, its_rate: float) -> None:
    """One figure and its ratio."""
    rate = number / took
    print(f"{what}: {rate:,.0f} {unit}/s, {rate / its_rate:.2f} of {yardstick} ({its_rate:,.0f}/s)")


def open_bench(folder: Path, port: int) -> App:
    """The service on SQLite, as it is run."""
    url = f"sqlite:///{folder / 'mailer.db'}"
    bring_up_to_date(url, resource("migrations"))
    house = House(
        name="Bench",
        domain="lists.example.org",
        url="https://lists.example.org",
        owner="ada@example.org",
        keyring=Keyring(b"p" * 32, ((1, b"k" * 32),)),
    )
    relay = Relay(host="127.0.0.1", port=port, tls="none", helo="lists.example.org", connections=CONNECTIONS)
    templates = Templates(resource("templates"), resource("locale"))
    return App(
        database=Database(url), house=house, templates=templates, relays=(relay,), clock=lambda: datetime.now(UTC)
    )


def write_table(file: Path, people: int) -> Path:
    """People who do not exist."""
    with file.open("w", newline="") as out:
        rows = ((f"person{n}@mail{n % 100}.example.org", f"Person {n}", "en", f"Town {n % 50}") for n in range(people))
        csv.writer(out).writerows([("email", "name", "language", "town"), *rows])
    return file


def plain_insert(database: Path, table: Path) -> None:
    """The yardstick of imports: the same rows, one table with one unique index, one transaction."""
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE people (email TEXT UNIQUE, name TEXT, language TEXT, town TEXT)")
        rows = csv.reader(io.StringIO(table.read_text()))
        connection.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", rows)


def timed(work) -> float:  # type: ignore[no-untyped-def]
    """Seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


async def as_it_comes(port: int) -> float:
    """The yardstick of sending: aiosmtplib's own sendmail over as many connections; letters a second."""
    content = b"Subject: yardstick\r\n\r\n" + b"x" * 70 + b"\r\n" * 60

    async def carry() -> None:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
        async with client:
            for _ in range(YARDSTICK_LETTERS // CONNECTIONS):
                await client.sendmail("a@example.org", ["b@example.org"], content)

    began = time.perf_counter()
    await asyncio.gather(*(carry() for _ in range(CONNECTIONS)))
    return YARDSTICK_LETTERS / (time.perf_counter() - began)


@contextmanager
def probing(database: Path) -> Iterator[list[float]]:
    """From another connection, take the write lock again and again; how long each take waited, in seconds."""
    waits, stop = [0.0], threading.Event()

    def probe() -> None:
        with sqlite3.connect(database, timeout=30, isolation_level=None) as connection:
            while not stop.wait(0.005):
                began = time.perf_counter()
                connection.execute("BEGIN IMMEDIATE")
                waits.append(time.perf_counter() - began)
                connection.execute("ROLLBACK")

    thread = threading.Thread(target=probe)
    thread.start()
    try:
        yield waits
    finally:
        stop.set()
        thread.join()


main()
