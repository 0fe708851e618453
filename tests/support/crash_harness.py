"""The service through its real doors: its processes and signals, its commands, its pages; and the sink it sends to."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import re
import shutil
import sys
import time
import tomllib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.child_process import PATIENCE_S, ChildProcess, start_process
from tests.support.warm_mailer import warm_mailer

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
DOMAIN = "lists.example.org"
LETTER = '---\nsubject: Seeds are in\n---\nHello {{ name or "there" }},\n\ncome and fetch them.\n'
_SETTINGS = """\
[service]
domain = "{domain}"
owner = "ada@example.net"
[database]
url = "{url}"
[intake]
port = 0
[web]
port = 0
[[relay]]
port = {port}
connections = {connections}
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportRow:
    """A line of `campaign report --csv`."""

    address: str
    state: str
    attempts: int
    code: str
    reply: str


@dataclass
class SinkProcess:
    """The relay, in a process of its own; see sink.py for what it obeys."""

    process: ChildProcess
    port: int
    log: Path

    @property
    def letters(self) -> int:
        """How many it has written down."""
        return self.log.read_bytes().count(b"\n")

    async def give_order(self, order: str) -> None:
        """Give it an order, which is in force when this returns."""
        assert self.process.child.stdin is not None
        self.process.child.stdin.write(f"{order}\n".encode())
        await self.process.child.stdin.drain()
        await self.process.wait_for_line("done")

    async def wait_printed(self, words: str, within_s: float = PATIENCE_S) -> None:
        """Wait until it has told this."""
        await self.process.wait_for_line(f"told {words}", within_s)

    async def wait_taken(self, more: int, within_s: float = PATIENCE_S) -> None:
        """Wait until it has written down so many more letters."""
        await self.give_order(f"after {more} tell enough")
        await self.wait_printed("enough", within_s)


async def start_sink(folder: Path) -> SinkProcess:
    """Start one; its log is in `folder`."""
    log = folder / "taken.log"
    log.touch()
    process = await start_process(
        sys.executable, "-m", "tests.support.crash_sink", log, cwd=ROOT, env=os.environ, output="stdout"
    )
    return SinkProcess(process, int((await process.wait_for_line("port ")).split()[1]), log)


@dataclass
class Installation:
    """A folder with settings and a secret, and what was started in it."""

    folder: Path
    sink: SinkProcess
    started: list[ChildProcess] = field(default_factory=list)

    @property
    def settings(self) -> Path:
        return self.folder / "settings.toml"

    def env(self, ahead_s: int = 0) -> dict[str, str]:
        """The environment of its processes; with the clock on the wall put forward."""
        moved = {"LD_PRELOAD": str(self.folder / "ahead.so"), "CRASH_AHEAD_S": str(ahead_s)} if ahead_s else {}
        return os.environ | {"MAILER_SETTINGS": str(self.settings)} | moved

    def set_setting(self, table: str, key: str, value: str) -> None:
        """Add a line of TOML to a table of the settings."""
        header, text = f"[{table}]\n", self.settings.read_text()
        text = text if header in text else f"{text}{header}"
        self.settings.write_text(text.replace(header, f"{header}{key} = {value}\n"))

    async def start(self, *words: str, ahead_s: int = 0) -> ChildProcess:
        """Start a command that runs until it is stopped: serve, worker, migrate."""
        process = await start_process(sys.executable, "-m", "mailer", *words, cwd=ROOT, env=self.env(ahead_s))
        self.started.append(process)
        return process

    async def start_serving(self, ahead_s: int = 0) -> tuple[ChildProcess, int]:
        """`mailer serve` with its doors open, and the port of its pages.

        Where its predecessor was just killed, PostgreSQL may need a moment to see that: as any supervisor does, start
        it again.
        """
        async with asyncio.timeout(PATIENCE_S):
            while True:
                process = await self.start("serve", ahead_s=ahead_s)
                try:
                    found = re.findall(r"127\.0\.0\.1:(\d+)", await process.wait_for_line("started service"))
                    process.opened_at = time.time()
                    return process, int(found[1])
                except AssertionError:
                    if not process.has_ended or "owned by another" not in process.last_lines:
                        raise

    async def command(self, *words: object, may_fail: bool = False) -> str:
        """What a command prints on stdout (and, where it may fail, on stderr)."""
        done = await asyncio.to_thread(warm_mailer(), [*map(str, words)], ROOT, self.env())
        assert may_fail or done.code == 0, f"mailer {words}: exit {done.code}: {done.stderr}"
        return done.stdout + (done.stderr if may_fail else "")

    async def import_people(self, people: Sequence[str], list_name: str = "appeals") -> None:
        """Open Ada's list and import these people."""
        await self.command("list", "add", list_name, "--name", "Open Appeals", "--owner", "ada@example.net")
        table = self.folder / "people.csv"
        table.write_text("email,name,language\n" + "".join(f"{one},{one.partition('@')[0]},en\n" for one in people))
        await self.command("subscribers", "import", table, "--list", list_name)

    async def send_campaign(self, list_name: str = "appeals") -> int:
        """A new campaign, to be sent now; its id."""
        letter = self.folder / "letter.md"
        letter.write_text(LETTER)
        campaign_id = int(await self.command("campaign", "new", letter, "--list", list_name))
        await self.command("campaign", "send", campaign_id, "--now")
        return campaign_id

    async def status(self, campaign_id: int) -> dict[str, Any]:
        """`campaign status --json`."""
        output: dict[str, Any] = json.loads(await self.command("campaign", "status", campaign_id, "--json"))
        return output

    async def wait_status(self, campaign_id: int, words: Sequence[str], within_s: float = PATIENCE_S) -> str:
        """`campaign status`, as soon as it holds one of these words."""
        output = ""
        try:
            async with asyncio.timeout(within_s):
                while not any(word.lower() in output.lower() for word in words):
                    output = await self.command("campaign", "status", campaign_id)
        except TimeoutError:
            raise AssertionError(f"`campaign status` says none of {words}, but: {output}") from None
        return output

    async def wait_sent(self, campaign_id: int, process: ChildProcess, within_s: float = PATIENCE_S) -> dict[str, Any]:
        """The last status, once a running service has sent all; `campaign status --watch` says when."""
        watching = asyncio.ensure_future(self._watch(campaign_id))
        ending = asyncio.ensure_future(process.child.wait())
        done, _ = await asyncio.wait((watching, ending), timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if watching not in done:
            watching.cancel()
            await asyncio.wait((watching,))
            why = "the service ended" if done else f"not sent within {within_s} s"
            raise AssertionError(f"{why}: {await self.status(campaign_id)}; {process.last_lines}")
        output: dict[str, Any] = json.loads(watching.result())
        assert output["state"] == "sent", output
        return output

    async def _watch(self, campaign_id: int) -> str:
        """`campaign status --watch --json`, which may be cut short: a process that can be killed."""
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mailer", "campaign", "status", str(campaign_id), "--watch", "--json"),
            cwd=ROOT,
            env=self.env(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await child.communicate()
        except asyncio.CancelledError:
            child.kill()
            await child.communicate()  # to the end, else the pipes would outlive the loop
            raise
        assert child.returncode == 0, f"watching {campaign_id}: exit {child.returncode}: {err.decode()}"
        return out.decode()

    async def report(self, campaign_id: int) -> list[ReportRow]:
        """`campaign report --csv`."""
        table = csv.DictReader(io.StringIO(await self.command("campaign", "report", campaign_id, "--csv")))
        return [ReportRow(**line | {"attempts": int(line["attempts"])}) for line in table]  # type: ignore[arg-type]

    async def close(self) -> None:
        """However it went: nothing runs on."""
        for process in [*self.started, self.sink.process]:
            await process.kill_if_running()


async def create_installation(
    folder: Path, *, database: str = "sqlite:///mailer.db", connections: int = 10, relay_lines: str = ""
) -> Installation:
    """A service that is set up and not started, with a sink for its relay; `more` goes to the end of [[relay]]."""
    house = Installation(folder, await start_sink(folder))
    await house.command("init", folder)
    shutil.copy(house.settings, folder / "as_init_wrote.toml")
    house.settings.write_text(
        _SETTINGS.format(domain=DOMAIN, url=database, port=house.sink.port, connections=connections) + relay_lines
    )
    return house


async def copy_installation(prepared: Path, folder: Path) -> Installation:
    """The house that was set up in `prepared`, in a folder of its own and with a sink of its own."""
    shutil.copytree(prepared, folder, dirs_exist_ok=True)
    house = Installation(folder, await start_sink(folder))
    house.settings.write_text(
        re.sub(r"(\[\[relay\]\]\nport = )\d+", rf"\g<1>{house.sink.port}", house.settings.read_text())
    )
    return house


def default_settings(house: Installation) -> dict[str, Any]:
    """All keys this version knows, with their defaults: so that a test can tell what there is to be tried."""
    return tomllib.loads((house.folder / "as_init_wrote.toml").read_text())


def addresses(number: int) -> list[str]:
    return [f"person{one}@example{one % 10}.org" for one in range(number)]


async def can_shift_clock(house: Installation) -> bool:
    """Whether `ahead_s` works here: it needs Linux and a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        return False
    made = await asyncio.create_subprocess_exec(
        *(compiler, "-shared", "-fPIC", "-O1", "-o", str(house.folder / "ahead.so"), str(HERE / "ahead.c"), "-ldl")
    )
    return await made.wait() == 0


OpenInstallation = Callable[..., Awaitable[Installation]]
"""Sets up a service and its sink: what the fixture `opens` gives."""
