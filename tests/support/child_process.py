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
class ChildProcess:
    """A process, and the lines of its stdout or stderr."""

    child: asyncio.subprocess.Process
    stream: asyncio.StreamReader
    started_at: float = field(default_factory=time.time)
    opened_at: float | None = None
    """When its doors were open, for who wants to know how long that took."""
    lines: list[str] = field(default_factory=list)
    _unread: list[str] = field(default_factory=list)
    _new_line: asyncio.Event = field(default_factory=asyncio.Event)
    _reader_task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def has_ended(self) -> bool:
        """Whether it has ended, and all it said was read."""
        return self._reader_task is None or self._reader_task.done()

    def start_reading(self) -> None:
        """Begin to gather."""
        self._reader_task = asyncio.get_running_loop().create_task(self._read_lines())

    async def _read_lines(self) -> None:
        while line := await self.stream.readline():
            self.lines.append(line.decode(errors="replace"))
            self._unread.append(self.lines[-1])
            self._new_line.set()
        self._new_line.set()

    async def wait_for_line(self, words: str, within_s: float = PATIENCE_S) -> str:
        """The next line that holds these words, said already or to come; lines before it stay for other questions."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    for number, line in enumerate(self._unread):
                        if words in line:
                            return self._unread.pop(number)
                    assert not self.has_ended, f"it ended without a word of {words!r}: {self.last_lines}"
                    self._new_line.clear()
                    await self._new_line.wait()
        except TimeoutError:
            raise AssertionError(f"not a word of {words!r} within {within_s} s: {self.last_lines}") from None

    @property
    def last_lines(self) -> str:
        """The last it said."""
        return "".join(self.lines[-20:])

    async def wait(self, within_s: float = PATIENCE_S) -> int:
        """The code it exits with (minus the signal that killed it)."""
        async with asyncio.timeout(within_s):
            code = await self.child.wait()
            if self._reader_task is not None:
                await self._reader_task
        return code

    async def kill(self) -> None:
        """Kill it with -9; nothing is put down."""
        self.signal(signal.SIGKILL)
        await self.wait()

    async def terminate(self) -> None:
        """Ask it to end; it ends well."""
        self.signal(signal.SIGTERM)
        code = await self.wait()
        assert code == 0, f"exit {code}: {self.last_lines}"

    def signal(self, number: signal.Signals) -> None:
        """SIGSTOP freezes it where it stands, SIGCONT lets it go on."""
        if self.child.returncode is None:
            self.child.send_signal(number)

    async def kill_if_running(self) -> None:
        """However a test ended: it runs no more."""
        self.signal(signal.SIGKILL)
        await self.wait()


async def start_process(*command: object, cwd: Path, env: Mapping[str, str], output: str = "stderr") -> ChildProcess:
    """Start a process and gather what it says on stdout or stderr; the other one is thrown away."""
    pipe, away = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    child = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=cwd,
        env=dict(env),
        stdin=pipe if output == "stdout" else away,
        stdout=pipe if output == "stdout" else away,
        stderr=pipe if output == "stderr" else None,
    )
    stream = child.stdout if output == "stdout" else child.stderr
    assert stream is not None
    running = ChildProcess(child, stream)
    running.start_reading()
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


async def wait_for_exit(pid: int, timeout_s: float = PATIENCE_S) -> None:
    """Wait until a process that is not our child has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(handle, ended.set)
    try:
        async with asyncio.timeout(timeout_s):
            await ended.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)
