"""People who leave through the running service's web door, so many a second, whatever else it does."""

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
"""A prime: the leavers come from all over the list, nobody twice."""


@dataclass(slots=True)
class UnsubscribeLoad:
    """Who has left so far."""

    answers: list[tuple[float, float]] = field(default_factory=list)
    """(when the person pressed the button, seconds until the answer), in the order of the answers."""
    failures: list[tuple[float, str]] = field(default_factory=list)
    """(when the person pressed the button, what went wrong)."""

    def record(self, pressed: float, trouble: str) -> None:
        """Somebody has an answer, or will have none."""
        self.answers.append((pressed, time.time() - pressed))
        if trouble:
            self.failures.append((pressed, trouble))

    def latencies_ms(self, since: float, until: float) -> list[float]:
        """How long those waited who pressed the button between two instants, in milliseconds."""
        return [took * 1000 for pressed, took in list(self.answers) if since <= pressed < until]


@contextmanager
def unsubscribing(port: int, keyring: Keyring, people: int) -> Iterator[UnsubscribeLoad]:
    """People leave while the block runs.

    Each presses the button at its own time, whether or not the one before was answered: so a stall is felt by all
    whom it met. The time counts from the pressing.
    """
    left, stop = UnsubscribeLoad(), threading.Event()
    asking = threading.Thread(target=send_requests, args=(left, stop, port, keyring, people))
    asking.start()
    try:
        yield left
    finally:
        stop.set()
        asking.join()


def send_requests(left: UnsubscribeLoad, stop: threading.Event, port: int, keyring: Keyring, people: int) -> None:
    """Let everybody leave, one after the other, until told to stop.

    Whose request had no turn by then counts as answered now, which flatters the service and lets us end.
    """
    began, asked = time.time(), 0
    pool = ThreadPoolExecutor(_MAX_CONCURRENT, "leaver")
    waiting: list[tuple[float, Future[None]]] = []
    while asked < people and not stop.wait(max(0.0, began + asked / PER_SECOND - time.time())):
        token, pressed = sign_token(keyring, Purpose.LEAVE, 1 + asked * _STRIDE % people), began + asked / PER_SECOND
        waiting.append((pressed, pool.submit(_unsubscribe, left, port, token, pressed)))
        asked += 1
    pool.shutdown(cancel_futures=stop.is_set())
    for pressed, one in waiting:
        if one.cancelled():
            left.record(pressed, "had no turn")
        else:
            one.result()


def _unsubscribe(left: UnsubscribeLoad, port: int, token: str, pressed: float) -> None:
    door = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        door.request("POST", f"/leave/{token}")
        answer = door.getresponse()
        answer.read()
        left.record(pressed, "" if answer.status == 200 else f"was answered {answer.status}")
    except OSError as trouble:
        left.record(pressed, f"was not answered: {trouble!r}")
    finally:
        door.close()
