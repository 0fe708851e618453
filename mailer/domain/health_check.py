"""HealthCheck: the result of one check of `mailer doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class HealthStatus(StrEnum):
    """Whether a check passed."""

    OK = "ok"
    WARN = "warn"
    """It works, but not for every recipient or not for long; or it could not be checked."""
    FAIL = "fail"
    """Letters are not sent, or receivers do not trust them."""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One line of the report of `mailer doctor`."""

    check: str
    """What was checked: `spf lists.example.org`."""
    status: HealthStatus
    message: str
    """The result in one sentence."""
    remedy: str = ""
    """What the administrator should do; empty if nothing."""


def ok(check: str, message: str) -> HealthCheck:
    """A check that passed."""
    return HealthCheck(check, HealthStatus.OK, message)


def warn(check: str, message: str, remedy: str = "") -> HealthCheck:
    """A check that passed with a reservation."""
    return HealthCheck(check, HealthStatus.WARN, message, remedy)


def fail(check: str, message: str, remedy: str = "") -> HealthCheck:
    """A check that failed."""
    return HealthCheck(check, HealthStatus.FAIL, message, remedy)


def unreachable(check: str, error: Exception) -> HealthCheck:
    """A check that got no answer: the result is unknown."""
    return HealthCheck(check, HealthStatus.WARN, str(error), "Try again in a few minutes.")
