"""Runs blocking work in a thread that neither other work nor the end of the process waits for."""

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
    """Return the result of `work`; raise MailboxUnavailable if `closing` is set before it is done.

    The thread is not from the shared pool, because the work may wait for an hour, and it is a daemon.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[R] = loop.create_future()

    def run() -> None:
        try:
            set_outcome = partial(done.set_result, work())
        except BaseException as error:
            set_outcome = partial(done.set_exception, error)
        with suppress(RuntimeError):  # the loop may have ended
            loop.call_soon_threadsafe(lambda: None if done.done() else set_outcome())

    threading.Thread(target=run, daemon=True, name="blocking call").start()
    closed = asyncio.ensure_future(closing.wait())
    try:
        await asyncio.wait((done, closed), return_when=asyncio.FIRST_COMPLETED)
    finally:
        closed.cancel()
        done.cancel()
    if done.cancelled():
        raise MailboxUnavailable("the service is closing")
    return done.result()
