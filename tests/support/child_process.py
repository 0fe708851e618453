"""A child process: what it says is gathered as it comes, and it can be awaited, stopped, frozen and killed."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE_S = 60
"""How long an event is waited for that must come; never a measure of anything."""


@dataclass
class Running:
    """A process, and the lines of its stdout or stderr."""

    child: asyncio.subprocess.Process
    stream: asyncio.StreamReader
    started_at: float = field(default_factory=time.time)
    opened_at: float | None = None
    """When its doors were open, for who wants to know how long that took."""
    said: list[str] = field(default_factory=list)
    _unread: list[str] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _gathering: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def over(self) -> bool:
        """Whether it has ended, and all it said was read."""
        return self._gathering is None or self._gathering.done()

    def listen(self) -> None:
        """Begin to gather."""
        self._gathering = asyncio.get_running_loop().create_task(self._gather())

    async def _gather(self) -> None:
        while line := await self.stream.readline():
            self.said.append(line.decode(errors="replace"))
            self._unread.append(self.said[-1])
            self._news.set()
        self._news.set()

    async def says(self, words: str, within_s: float = PATIENCE_S) -> str:
        """The next line that holds these words, said already or to come; lines before it stay for other questions."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    for number, line in enumerate(self._unread):
                        if words in line:
                            return self._unread.pop(number)
                    assert not self.over, f"it ended without a word of {words!r}: {self.tail}"
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"not a word of {words!r} within {within_s} s: {self.tail}") from None

    @property
    def tail(self) -> str:
        """The last it said."""
        return "".join(self.said[-20:])

    async def ends(self, within_s: float = PATIENCE_S) -> int:
        """The code it exits with (minus the signal that killed it)."""
        async with asyncio.timeout(within_s):
            code = await self.child.wait()
            if self._gathering is not None:
                await self._gathering
        return code

    async def dies(self) -> None:
        """Kill it with -9; nothing is put down."""
        self.signal(signal.SIGKILL)
        await self.ends()

    async def stops(self) -> None:
        """Ask it to end; it ends well."""
        self.signal(signal.SIGTERM)
        code = await self.ends()
        assert code == 0, f"exit {code}: {self.tail}"

    def signal(self, number: signal.Signals) -> None:
        """SIGSTOP freezes it where it stands, SIGCONT lets it go on."""
        if self.child.returncode is None:
            self.child.send_signal(number)

    async def cleared_away(self) -> None:
        """However a test ended: it runs no more."""
        self.signal(signal.SIGKILL)
        await self.ends()


async def run(*command: object, cwd: Path, env: Mapping[str, str], listen_to: str = "stderr") -> Running:
    """Start a process and gather what it says on stdout or stderr; the other one is thrown away."""
    pipe, away = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    child = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=cwd,
        env=dict(env),
        stdin=pipe if listen_to == "stdout" else away,
        stdout=pipe if listen_to == "stdout" else away,
        stderr=pipe if listen_to == "stderr" else None,
    )
    stream = child.stdout if listen_to == "stdout" else child.stderr
    assert stream is not None
    running = Running(child, stream)
    running.listen()
    return running


def descendants(pid: int) -> set[int]:
    """The processes a process has started, and those they have."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # pid (name) state parent: a name may hold anything but ends at the last bracket
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, new = set[int](), {pid}
    while new := {child for child, parent in parents.items() if parent in new} - found:
        found |= new
    return found


async def gone(pid: int, within_s: float = PATIENCE_S) -> None:
    """Wait until a process that is not our child has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(handle, ended.set)
    try:
        async with asyncio.timeout(within_s):
            await ended.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)
