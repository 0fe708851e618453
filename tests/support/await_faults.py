"""Breaking a task at one of its awaits: each await of our own tasks is known by where it stands, and may be met once.

faults = Faults()
asyncio.get_running_loop().set_task_factory(faults.task)
... everything runs once; faults.sites are the awaits that were met ...
faults.breaks(site, Mode.CANCEL)
... the next task that waits there is cancelled; faults.met says whether one was ...
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Generator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import mailer
from mailer.errors import DatabaseUnavailable, RelayUnavailable, SigningUnavailable

PACKAGE = str(Path(mailer.__file__).parent)
AwaitSite = tuple[str, ...]
"""Where a task waits: our own frames, from its first to the innermost."""


class FaultMode(Enum):
    """What happens at an await."""

    CANCEL = "cancelled"
    FAILS_AT_ONCE = "fails at once"
    """Whatever was begun there goes on, and nobody hears of it."""
    FAILS_LATE = "fails when it was done"
    DATABASE = "the database fails"
    RELAY = "no relay is to be had"
    SIGNING = "nothing signs"
    LINE = "the line breaks"

    @property
    def error(self) -> Exception:
        """A new one each time."""
        match self:
            case FaultMode.DATABASE:
                return DatabaseUnavailable("a fault of the test")
            case FaultMode.RELAY:
                return RelayUnavailable("a fault of the test")
            case FaultMode.SIGNING:
                return SigningUnavailable("a fault of the test")
            case FaultMode.LINE:
                return ConnectionResetError("a fault of the test")
            case _:
                return RuntimeError("a fault of the test")


@dataclass
class Faults:
    """What was met, and what is to break."""

    sites: Counter[AwaitSite] = field(default_factory=Counter)
    was_hit: bool = False
    _site: AwaitSite | None = None
    _mode: FaultMode = FaultMode.CANCEL

    def inject(self, site: AwaitSite, mode: FaultMode) -> None:
        """Once, at the next task that waits there."""
        self._site, self._mode, self.was_hit = site, mode, False

    def clear(self) -> None:
        """Nothing is to break any more."""
        self._site = None

    def task_factory(
        self, loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **given: Any
    ) -> asyncio.Task[Any]:
        """The loop's factory of tasks."""
        if not getattr(coroutine, "cr_code", None) or not coroutine.cr_code.co_filename.startswith(PACKAGE):  # type: ignore[attr-defined]
            return asyncio.Task(coroutine, loop=loop, **given)
        watched = _FaultyCoroutine(self, coroutine)
        watched.task = asyncio.Task(watched, loop=loop, **given)
        return watched.task

    def mode_at(self, site: AwaitSite) -> FaultMode | None:
        """How a task that waits there is to break, if it is."""
        self.sites[site] += 1
        if site != self._site:
            return None
        self._site, self.was_hit = None, True
        return self._mode


class _FaultyCoroutine(Coroutine[Any, Any, Any]):
    """A task's coroutine, looked at whenever it waits."""

    task: asyncio.Task[Any]

    def __init__(self, faults: Faults, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._faults, self._coroutine = faults, coroutine
        self._late_error: Exception | None = None

    def send(self, value: Any) -> Any:
        if self._late_error is not None:
            trouble, self._late_error = self._late_error, None
            return self._suspend(self._coroutine.throw(trouble))
        return self._suspend(self._coroutine.send(value))

    def throw(self, *trouble: Any) -> Any:
        self._late_error = None
        return self._suspend(self._coroutine.throw(*trouble))

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._coroutine.__await__()

    def _suspend(self, awaited: Any) -> Any:
        match self._faults.mode_at(_await_site(self._coroutine)):
            case None:
                return awaited
            case FaultMode.CANCEL:
                asyncio.get_running_loop().call_soon(self.task.cancel)
                return awaited
            case FaultMode.FAILS_AT_ONCE as mode:
                if asyncio.isfuture(awaited):
                    awaited._asyncio_future_blocking = False
                return self._suspend(self._coroutine.throw(mode.error))
            case mode:
                self._late_error = mode.error
                return awaited


def _await_site(coroutine: Any) -> AwaitSite:
    site: list[str] = []
    while coroutine is not None:
        code = getattr(coroutine, "cr_code", None) or getattr(coroutine, "gi_code", None)
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if code is not None and frame is not None and code.co_filename.startswith(PACKAGE):
            site.append(f"{code.co_filename.removeprefix(PACKAGE)}:{frame.f_lineno} {code.co_name}")
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    return tuple(site)
