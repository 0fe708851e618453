"""SigningPool: processes that only sign, so that signing uses all cores and does not hold up the sending process."""

from __future__ import annotations

import asyncio
import marshal
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mailer.errors import SigningUnavailable
from mailer.mail.dkim.signing import Signer
from mailer.network.signing_worker import LENGTH_OCTETS, encode_frame

_MOST_ATTEMPTS, _MOST_FAULTY = 20, 3
"""How many processes a batch is given to, one after another, and how many of these may exit with an error.

A killed process only costs time. If processes exit with an error as soon as they start, the next one will, too.
"""
_MOST_REPLY_OCTETS = 2**24
_LONGEST_WAIT_S = 60.0
"""For the answer to a batch (which takes about 20 ms) and for the exit of a process; then it is killed."""
_EXIT_TIMEOUT_S = 1.0
"""From the end of a process's output to its exit, which shows whether it was killed."""


@dataclass(slots=True, eq=False)
class _SigningProcess:
    """A process and the batches that it will answer, in this order."""

    process: asyncio.subprocess.Process
    pending: deque[asyncio.Future[list[bytes]]] = field(default_factory=deque)


class SigningPool:
    """Processes that sign; they start when first needed, and exit when our end of their pipe closes."""

    def __init__(self, signers: Sequence[Signer], processes: int) -> None:
        self._pems = [one.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) for one in signers]
        self._most_processes = processes
        self._children: list[_SigningProcess] = []
        self._starting = asyncio.Lock()
        self._readers: set[asyncio.Task[None]] = set()

    async def sign(self, batch: Sequence[tuple[int, bytes]]) -> list[bytes]:
        """The signature of each (index of the signer, octets) of a batch, in the same order.

        The process with the fewest pending batches signs; if it exits, another one does. Raises SigningUnavailable.
        """
        faulty = 0
        for _ in range(_MOST_ATTEMPTS):
            child = await self._least_busy()
            try:
                return await asyncio.wait_for(self._submit(child, batch), _LONGEST_WAIT_S)
            except EOFError:
                faulty += (child.process.returncode or 0) > 0
            except TimeoutError:
                _kill(child)
            if faulty == _MOST_FAULTY:
                break
        raise SigningUnavailable(
            "the processes that sign letters exit as soon as they start; `mailer doctor` may say why"
        )

    def _submit(self, child: _SigningProcess, batch: Sequence[tuple[int, bytes]]) -> asyncio.Future[list[bytes]]:
        """The future answer; it raises EOFError if the process exits first."""
        future: asyncio.Future[list[bytes]] = asyncio.get_running_loop().create_future()
        child.pending.append(future)
        _write(child, encode_frame(list(batch)))
        return future

    async def _least_busy(self) -> _SigningProcess:
        async with self._starting:
            if len(self._children) < self._most_processes:
                try:
                    child = await self._start()  # the list may be replaced while we wait
                    self._children.append(child)
                except OSError as error:
                    raise SigningUnavailable(f"no process to sign our letters can be started: {error}") from error
            return min(self._children, key=lambda one: len(one.pending))

    async def _start(self) -> _SigningProcess:
        child = _SigningProcess(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "mailer.network.signing_worker"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_MOST_REPLY_OCTETS,
            )
        )
        _write(child, encode_frame(self._pems))
        reader = asyncio.create_task(self._read(child))
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)
        return child

    async def _read(self, child: _SigningProcess) -> None:
        """Set the results of pending batches as answers come; when the process exits, fail the rest with EOFError."""
        stdout = child.process.stdout
        try:
            while stdout is not None:
                head = await stdout.readexactly(LENGTH_OCTETS)
                answer = marshal.loads(await stdout.readexactly(int.from_bytes(head, "big")))  # noqa: S302
                future = child.pending.popleft()
                if not future.done():
                    future.set_result(answer)
        except (EOFError, OSError):  # it exited, perhaps in the middle of an answer
            with suppress(TimeoutError):
                await asyncio.wait_for(child.process.wait(), _EXIT_TIMEOUT_S)
        finally:
            self._children = [one for one in self._children if one is not child]
            _kill(child)
            for future in child.pending:
                if not future.done():
                    future.set_exception(EOFError("the process that signs has ended"))

    async def close(self) -> None:
        """Let the processes exit, and kill those that do not in time."""
        children = list(self._children)
        for child in children:
            if child.process.stdin is not None:
                child.process.stdin.close()
        ends = [asyncio.create_task(child.process.wait()) for child in children]
        if ends:
            await asyncio.wait(ends, timeout=_LONGEST_WAIT_S)
        for child in children:
            _kill(child)
        await asyncio.gather(*ends, *self._readers)


def _write(child: _SigningProcess, octets: bytes) -> None:
    """Write to a process; nothing happens if it has exited, which its reader notices."""
    stdin = child.process.stdin
    if stdin is not None and not stdin.is_closing():
        with suppress(OSError, RuntimeError):  # uvloop raises RuntimeError if the other end has closed the pipe
            stdin.write(octets)


def _kill(child: _SigningProcess) -> None:
    if child.process.returncode is None:
        with suppress(ProcessLookupError):
            child.process.kill()
