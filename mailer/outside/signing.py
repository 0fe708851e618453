"""Signing on all cores: processes that only sign, so that the one that sends is never kept from its interpreter."""

from __future__ import annotations

import asyncio
import marshal
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mailer.errors import SigningUnavailable
from mailer.mail.dkim import Signer
from mailer.outside.sign_child import LENGTH_OCTETS, frame

_TRIES = 3
_LONGEST_REPLY = 2**24


@dataclass(slots=True, eq=False)
class _Child:
    """One process, and the questions that it will answer, in this order."""

    process: asyncio.subprocess.Process
    asked: deque[asyncio.Future[list[bytes]]] = field(default_factory=deque)


class Signing:
    """Children that sign; they are started when first needed, and end when our end of their pipe does."""

    def __init__(self, signers: Sequence[Signer], processes: int) -> None:
        self._pems = [one.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) for one in signers]
        self._most = processes
        self._children: list[_Child] = []
        self._starting = asyncio.Lock()
        self._readers: set[asyncio.Task[None]] = set()

    async def signatures(self, batch: Sequence[tuple[int, bytes]]) -> list[bytes]:
        """The signature of each of (signer's place, octets), by the child with the least to do.

        SigningUnavailable where none can be had.
        """
        for _ in range(_TRIES):
            child = await self._least_busy()
            asked: asyncio.Future[list[bytes]] = asyncio.get_running_loop().create_future()
            child.asked.append(asked)
            _stdin(child.process).write(frame(list(batch)))
            try:
                return await asked
            except EOFError:
                continue  # it was killed: another one is asked
        raise SigningUnavailable("the processes that sign our letters end as soon as they are asked")

    async def _least_busy(self) -> _Child:
        async with self._starting:
            if len(self._children) < self._most:
                try:
                    self._children.append(await self._start())
                except OSError as trouble:
                    raise SigningUnavailable(f"no process to sign our letters can be started: {trouble}") from trouble
        return min(self._children, key=lambda one: len(one.asked))

    async def _start(self) -> _Child:
        child = _Child(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "mailer.outside.sign_child"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_LONGEST_REPLY,
            )
        )
        _stdin(child.process).write(frame(self._pems))
        reader = asyncio.create_task(self._read(child))
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)
        return child

    async def _read(self, child: _Child) -> None:
        """Give each question its answer, until the child ends."""
        stdout = child.process.stdout
        try:
            while stdout is not None:
                head = await stdout.readexactly(LENGTH_OCTETS)
                answer = marshal.loads(await stdout.readexactly(int.from_bytes(head, "big")))  # noqa: S302
                asked = child.asked.popleft()
                if not asked.done():
                    asked.set_result(answer)
        except asyncio.IncompleteReadError:
            self._children.remove(child)
            for asked in child.asked:
                if not asked.done():
                    asked.set_exception(EOFError("the process that signs has ended"))

    async def close(self) -> None:
        """Let the children end."""
        for child in self._children:
            _stdin(child.process).close()
        await asyncio.gather(*(child.process.wait() for child in self._children))


def _stdin(process: asyncio.subprocess.Process) -> asyncio.StreamWriter:
    if process.stdin is None:
        raise OSError("a process that signs has no standard input")
    return process.stdin
