"""The shell blocks of README and docs work as they stand, in fresh shells and in order, against the real service."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import site
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.app_helpers import ROOT
from tests.support.dns_zone import Zone
from tests.support.fake_relay import FakeRelay
from tests.support.shell_blocks import Block, blocks
from tests.support.warm_mailer import CLIENT

SHELL = [block for block in blocks() if block.tag == "sh"]
NOT_RUN = {
    ("README.md", "it is what runs this"),
    ("README.md", "downloads from PyPI, and passes all tests"),
    ("docs/bench.md", "takes minutes, and a quiet machine"),
    ("docs/mailbox.md", "downloads from PyPI"),
    ("docs/promises.md", "takes minutes"),
}
WARM = ROOT / "tests" / "support" / "warm_mailer.py"
NOT_COPIED = (".venv", ".git", ".*_cache", ".hypothesis", "results", "*.egg-info")
COMMAND = re.compile(r"^(?:\$ |(?:mailer|make|pip|python3?|git|cd|\.venv/bin/\S+) )", re.MULTILINE)


@dataclass
class Newcomer:
    """Somebody with a fresh clone, who pastes block after block, each into a fresh shell."""

    clone: Path
    home: Path
    environment: dict[str, str]
    serving: list[Process] = field(default_factory=list)

    async def pastes(self, block: Block) -> tuple[str, str]:
        """What it printed, on stdout and stderr, once it is through; or once the service is up, which then goes on."""
        serves = re.search(r"^mailer serve\b", block.text, re.MULTILINE)
        # Exit 1 is the doctor's word on this machine and not a command that does not work.
        strict = "" if "mailer doctor" in block.text else "set -e; "
        in_checkout = block.page in {"README.md", "CONTRIBUTING.md"}
        path = {} if in_checkout else {"PATH": f"{self.clone}/.venv/bin:{os.environ['PATH']}"}
        shell = await asyncio.create_subprocess_exec(
            "bash", "-c", f"{strict}{block.text}",
            cwd=self.clone if in_checkout else self.home / "my-lists",
            env=self.environment | path, stdin=asyncio.subprocess.DEVNULL, stdout=PIPE, stderr=PIPE, process_group=0,
        )  # fmt: skip
        async with asyncio.timeout(300):
            if serves:
                self.serving.append(shell)
                return "", await _until_open(shell)
            out, said = (part.decode() for part in await shell.communicate())
        printed = f"{block.page}:\n{block.text}\n--- it printed\n{out}\n--- and said\n{said}"
        assert shell.returncode in ({0} if strict else {0, 1}), printed
        assert not re.search(r"Traceback|command not found|Usage:|No such", said), printed
        return out, said

    def does_as_dkim_new_says(self, record: str, printed: str) -> dict[str, list[str]]:
        """Add the table to settings.toml, and publish the record: what the DNS answers from then on."""
        with (self.home / "my-lists" / "settings.toml").open("a") as settings:
            settings.write(printed[printed.index("[[dkim]]") : printed.index("Once ")])
        name, _, text = record.strip().partition(" IN TXT ")
        return {f"{name} TXT".lower(): [text.strip("( )")]}

    async def ends(self) -> None:
        """Press Ctrl-C in every terminal where something runs."""
        for shell in self.serving:
            os.killpg(shell.pid, signal.SIGINT)
            assert shell.stderr
            await asyncio.gather(shell.wait(), shell.stderr.read())


async def _until_open(shell: Process) -> str:
    assert shell.stderr
    said = ""
    while "started service" not in said.rpartition("\n")[0]:
        line = (await shell.stderr.readline()).decode()
        assert line, f"it ended: {said}"
        said += line
    return said


def fresh_clone(to: Path, at: Path) -> Path:
    """The working tree as `git clone` leaves it; `make install` then finds its work done, as pip would have done it."""
    shutil.copytree(ROOT, to, ignore=shutil.ignore_patterns(*NOT_COPIED), symlinks=True)
    binaries = to / ".venv" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to(sys.executable)
    (binaries / "activate").write_text(f'PATH="{binaries}:$PATH"; export PATH\n')
    paths = [str(to), *site.getsitepackages()]
    run = f"import sys; sys.path[:0] = {paths}; from mailer.cli.main import command; command()"
    (binaries / "mailer").write_text(CLIENT.format(python=sys.executable, run=run.replace('"', "'"), at=at))
    (binaries / "mailer").chmod(0o755)
    (to / ".venv" / ".installed").touch()
    return to


@asynccontextmanager
async def newcomer(folder: Path, relay: FakeRelay, zone: Zone) -> AsyncIterator[Newcomer]:
    (folder / "home").mkdir()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAILER_", "MAKE", "VIRTUAL"))}
    settings = {
        "MAILER_INTAKE__PORT": "0",
        "MAILER_WEB__PORT": "0",
        "MAILER_RELAY": json.dumps([{"port": relay.port}]),
        "MAILER_DNS__SERVERS": json.dumps([zone.server]),
    }
    at = folder / "warm"
    clone = await asyncio.to_thread(fresh_clone, folder / "mailer", at)
    warm = await asyncio.create_subprocess_exec(sys.executable, WARM, at, clone, cwd=clone, env=clean, stdout=PIPE)
    assert warm.stdout
    assert await warm.stdout.readline() == b"ready\n"
    one = Newcomer(clone, folder / "home", clean | settings | {"HOME": str(folder / "home"), "COLUMNS": "120"})
    try:
        yield one
    finally:
        await one.ends()
        warm.kill()
        await warm.communicate()


def test_blocks_that_are_not_run_are_few_and_say_why() -> None:
    assert {(block.page, block.reason) for block in SHELL if block.reason} == NOT_RUN
    assert len(SHELL) > 2 * len(NOT_RUN)


@pytest.mark.parametrize("block", [block for block in blocks() if block.tag != "sh"], ids=lambda block: block.page)
def test_what_is_to_be_typed_is_marked_as_such(block: Block) -> None:
    assert block.reason is None
    assert block.tag == "text" or not COMMAND.search(block.text)


@pytest.mark.slow
async def test_every_block_works_as_it_stands(tmp_path: Path, relay: FakeRelay) -> None:
    said: dict[str, list[tuple[str, str]]] = {}
    async with Zone({}) as zone, newcomer(tmp_path, relay, zone) as ada:
        for block in SHELL:
            if block.reason is not None:
                continue
            if block.page == "docs/campaigns.md":
                # The page is about a campaign under way; README's was scheduled.
                await ada.pastes(Block(block.page, "sh", "mailer campaign send 1 --now --over 6h\n", None))
                await relay.wait_for(1, within_s=60)
            if "mailer dkim check" in block.text:
                zone.records |= ada.does_as_dkim_new_says(*said[block.page][-1])
            said.setdefault(block.page, []).append(await ada.pastes(block))

    (played, _), (_, initialised), (first_steps, _) = said["README.md"]
    assert "Emma (emma@example.org) opened her link" in played
    assert "://" not in played  # nothing is up any more where nobody could look around
    assert "Wrote " in initialised
    for expected in ("2 added", "Rosa,", "campaign 1: scheduled"):
        assert expected in first_steps
    assert "Campaign 1 is cancelled." in said["docs/campaigns.md"][0][1]
    assert said["docs/deliverability.md"][1][0].startswith("ok ")
