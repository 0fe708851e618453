"""Work that blocks, done aside: nobody has to wait for it at the end of the service."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from mailer.errors import MailboxUnavailable

R = TypeVar("R")


async def run_in_thread(work: Callable[[], R], closing: asyncio.Event) -> R:
    """Do it in a thread of its own, and return what it returns; MailboxUnavailable when we are closing before.

    Not in the threads that others share: it may wait for an hour. Nor does the end of the process wait for it.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[R] = loop.create_future()

    def run() -> None:
        try:
            set_outcome = partial(done.set_result, work())
        except BaseException as error:
            set_outcome = partial(done.set_exception, error)
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(lambda: None if done.done() else set_outcome())

    threading.Thread(target=run, daemon=True, name="aside").start()
    closed = asyncio.ensure_future(closing.wait())
    try:
        await asyncio.wait((done, closed), return_when=asyncio.FIRST_COMPLETED)
    finally:
        closed.cancel()
        done.cancel()
    if done.cancelled():
        raise MailboxUnavailable("we are closing")
    return done.result()
