"""HealthCheck: the result of one check, by `mailer doctor` or the running service; HealthReports holds the latest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
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


class CheckGroup(StrEnum):
    """Checks that are made together."""

    DATABASE = "database"
    """What waits in the database for somebody; each minute."""
    SENDING = "sending"
    """Whether relays answer and what the DNS says of us; every ten minutes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthReport:
    """The results of all checks."""

    checks: tuple[HealthCheck, ...]
    checked_at: datetime | None
    """When the oldest of them was made; None until every group has been checked once."""
    failing_since: Mapping[str, datetime]
    """When each check that fails now was first seen failing, by its name."""

    @property
    def failing(self) -> tuple[HealthCheck, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.status is HealthStatus.FAIL)


class HealthReports:
    """Holds the results of each group until it is checked again."""

    def __init__(self) -> None:
        self._groups: dict[CheckGroup, tuple[datetime, tuple[HealthCheck, ...]]] = {}
        self._failing_since: dict[str, datetime] = {}

    def record(self, group: CheckGroup, checks: Sequence[HealthCheck], now: datetime) -> None:
        """Replace the results of a group."""
        self._groups[group] = now, tuple(checks)
        failing = self._latest_failing()
        self._failing_since = {name: self._failing_since.get(name, now) for name in failing}

    def checked_at(self, group: CheckGroup) -> datetime | None:
        """When a group was last checked; None if it never was."""
        found = self._groups.get(group)
        return found[0] if found else None

    def of_group(self, group: CheckGroup) -> tuple[HealthCheck, ...]:
        """The last results of a group; empty if it was never checked."""
        return self._groups[group][1] if group in self._groups else ()

    def latest(self) -> HealthReport:
        """What is known now."""
        times = [self.checked_at(group) for group in CheckGroup]
        return HealthReport(
            checks=tuple(check for group in CheckGroup if group in self._groups for check in self._groups[group][1]),
            checked_at=None if None in times else min(time for time in times if time is not None),
            failing_since=dict(self._failing_since),
        )

    def _latest_failing(self) -> list[str]:
        return [check.check for check in self.latest().failing]
