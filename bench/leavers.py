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
_AT_ONCE = 64
_LONGEST_S = 60
_STRIDE = 7919
"""A prime: the leavers come from all over the list, nobody twice."""


@dataclass(slots=True)
class Leavers:
    """Who has left so far."""

    answers: list[tuple[float, float]] = field(default_factory=list)
    """(when the person pressed the button, seconds until the answer), in the order of the answers."""
    failures: list[str] = field(default_factory=list)

    def waits_ms(self, since: float, until: float) -> list[float]:
        """How long those waited who pressed the button between two instants, in milliseconds."""
        return [took * 1000 for pressed, took in list(self.answers) if since <= pressed < until]


@contextmanager
def leaving(port: int, keyring: Keyring, people: int) -> Iterator[Leavers]:
    """People leave while the block runs.

    Each presses the button at its own time, whether or not the one before was answered: so a stall is felt by all
    whom it met. The time counts from the pressing.
    """
    left, stop = Leavers(), threading.Event()
    asking = threading.Thread(target=press_buttons, args=(left, stop, port, keyring, people))
    asking.start()
    try:
        yield left
    finally:
        stop.set()
        asking.join()


def press_buttons(left: Leavers, stop: threading.Event, port: int, keyring: Keyring, people: int) -> None:
    """Let everybody leave, one after the other, until told to stop; returns when all who asked were answered."""
    began, asked = time.time(), 0
    with ThreadPoolExecutor(_AT_ONCE, "leaver") as pool:
        waiting: list[Future[None]] = []
        while asked < people and not stop.wait(max(0.0, began + asked / PER_SECOND - time.time())):
            token = sign_token(keyring, Purpose.LEAVE, 1 + asked * _STRIDE % people)
            waiting.append(pool.submit(_leave, left, port, token, began + asked / PER_SECOND))
            asked += 1
    for one in waiting:
        one.result()


def _leave(left: Leavers, port: int, token: str, pressed: float) -> None:
    door = http.client.HTTPConnection("127.0.0.1", port, timeout=_LONGEST_S)
    try:
        door.request("POST", f"/leave/{token}")
        answer = door.getresponse()
        answer.read()
        left.answers.append((pressed, time.time() - pressed))
        if answer.status != 200:
            left.failures.append(f"{answer.status} for one who leaves")
    except OSError as trouble:
        left.failures.append(f"{trouble!r} for one who leaves")
    finally:
        door.close()
