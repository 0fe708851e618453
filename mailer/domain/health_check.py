"""A finding: what one check of the service and its surroundings came to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """It works, but not for everybody or not for long; or it could not be told."""
    FAIL = "fail"
    """Letters will not go, or will not be believed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a doctor's report."""

    check: str
    """What was looked at: `spf lists.example.org`."""
    health: Health
    told: str
    """What was found, in plain words."""
    mend: str = ""
    """What to do about it; empty where nothing is to be done."""


def ok(check: str, told: str) -> Finding:
    return Finding(check, Health.OK, told)


def warn(check: str, told: str, mend: str = "") -> Finding:
    return Finding(check, Health.WARN, told, mend)


def fail(check: str, told: str, mend: str = "") -> Finding:
    return Finding(check, Health.FAIL, told, mend)


def unanswered(check: str, trouble: Exception) -> Finding:
    """The world did not answer: neither good nor bad is known."""
    return Finding(check, Health.WARN, str(trouble), "Try again in a few minutes.")
