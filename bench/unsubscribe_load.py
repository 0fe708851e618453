"""People who unsubscribe by the running service's web page, a fixed number per second."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from mailer.domain.keyring import Keyring
from mailer.domain.token import Purpose, sign_token

PER_SECOND = 20
_MAX_CONCURRENT = 64
_TIMEOUT_S = 30
_STRIDE = 7919
"""A prime: those who unsubscribe are spread over the whole list, nobody twice."""


@dataclass(slots=True)
class UnsubscribeLoad:
    """The answers to unsubscribe requests so far."""

    answers: list[tuple[float, float]] = field(default_factory=list)
    """(time of the request in seconds since the epoch, seconds until the answer), in the order of the answers."""
    failures: list[tuple[float, str]] = field(default_factory=list)
    """(time of the request, what went wrong)."""

    def record(self, pressed: float, error: str) -> None:
        """Note the end of the request made at `pressed`, with an error or ""."""
        self.answers.append((pressed, time.time() - pressed))
        if error:
            self.failures.append((pressed, error))

    def latencies_ms(self, since: float, until: float) -> list[float]:
        """Milliseconds until the answer, of each request made from `since` up to `until`."""
        return [took * 1000 for pressed, took in list(self.answers) if since <= pressed < until]


@contextmanager
def unsubscribing(port: int, keyring: Keyring, people: int) -> Iterator[UnsubscribeLoad]:
    """Make unsubscribe requests while the block runs.

    Requests are made at fixed times, whether or not earlier ones were answered, and a latency counts from that time:
    so a stall delays every request that falls into it.
    """
    load, stop = UnsubscribeLoad(), threading.Event()
    thread = threading.Thread(target=send_requests, args=(load, stop, port, keyring, people))
    thread.start()
    try:
        yield load
    finally:
        stop.set()
        thread.join()


def send_requests(load: UnsubscribeLoad, stop: threading.Event, port: int, keyring: Keyring, people: int) -> None:
    """Unsubscribe one person after the other until `stop` is set.

    A request that was not begun by then counts as answered at that moment, so that the run can end.
    """
    began, sent = time.time(), 0
    pool = ThreadPoolExecutor(_MAX_CONCURRENT, "leaver")
    waiting: list[tuple[float, Future[None]]] = []
    while sent < people and not stop.wait(max(0.0, began + sent / PER_SECOND - time.time())):
        token, pressed = sign_token(keyring, Purpose.LEAVE, 1 + sent * _STRIDE % people), began + sent / PER_SECOND
        waiting.append((pressed, pool.submit(_unsubscribe, load, port, token, pressed)))
        sent += 1
    pool.shutdown(cancel_futures=stop.is_set())
    for pressed, one in waiting:
        if one.cancelled():
            load.record(pressed, "was not begun")
        else:
            one.result()


def _unsubscribe(load: UnsubscribeLoad, port: int, token: str, pressed: float) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        connection.request("POST", f"/leave/{token}")
        answer = connection.getresponse()
        answer.read()
        load.record(pressed, "" if answer.status == 200 else f"was answered {answer.status}")
    except OSError as error:
        load.record(pressed, f"was not answered: {error!r}")
    finally:
        connection.close()
