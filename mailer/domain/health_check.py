"""A finding: what one check of the service and its surroundings came to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class HealthStatus(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """It works, but not for everybody or not for long; or it could not be told."""
    FAIL = "fail"
    """Letters will not go, or will not be believed."""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One line of a doctor's report."""

    check: str
    """What was looked at: `spf lists.example.org`."""
    status: HealthStatus
    message: str
    """What was found, in plain words."""
    remedy: str = ""
    """What to do about it; empty where nothing is to be done."""


def ok(check: str, message: str) -> HealthCheck:
    return HealthCheck(check, HealthStatus.OK, message)


def warn(check: str, message: str, remedy: str = "") -> HealthCheck:
    return HealthCheck(check, HealthStatus.WARN, message, remedy)


def fail(check: str, message: str, remedy: str = "") -> HealthCheck:
    return HealthCheck(check, HealthStatus.FAIL, message, remedy)


def unreachable(check: str, error: Exception) -> HealthCheck:
    """The world did not answer: neither good nor bad is known."""
    return HealthCheck(check, HealthStatus.WARN, str(error), "Try again in a few minutes.")
