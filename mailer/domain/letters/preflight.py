"""What a check of a campaign before its launch finds, and what of it keeps the campaign back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from mailer.domain.address import hide_addresses
from mailer.domain.health_check import HealthCheck, HealthStatus


class PreflightSeverity(StrEnum):
    """What a result means for the launch; the gravest first."""

    BLOCKING = "blocking"
    """It is not sent so, unless an organiser gives a reason why it goes all the same."""
    WARNING = "warning"
    """It can be sent; somebody should look at it."""
    FINE = "fine"
    """It was looked at, and is in order."""


class PreflightRule(StrEnum):
    """What a result is about. Programs read the values: none is changed."""

    TEXT = "text"
    """The text of an edition cannot be read or composed: no reason lets it pass."""
    DOUBT = "doubt"
    """Something in the text that its writer should look at."""
    RECIPIENT = "recipient"
    """The letter of a single person cannot be written: no reason lets it pass."""
    LETTERS = "letters"
    """How many letters were written, and how many kinds of them."""
    EDITION = "edition"
    """An edition is missing or older than its source."""
    AUDIENCE = "audience"
    SIZE = "size"
    PLAIN_TEXT = "plain text"
    PICTURE = "picture"
    CONTRAST = "contrast"
    MARKUP = "markup"
    """The HTML holds what mail programs remove, or lacks what they need."""
    LINK = "link"
    LEFTOVER = "leftover"
    """Something is left in the letter that was to be replaced."""
    HEADER = "header"
    FOOTER = "footer"
    SETTINGS = "settings"
    DKIM = "dkim"
    SPF = "spf"
    DMARC = "dmarc"
    MX = "mx"
    SENDER = "sender"
    """The reverse DNS of the address that letters leave from."""
    RELAY = "relay"
    SPAM = "spam"


CANNOT_BE_WRITTEN = frozenset({PreflightRule.TEXT, PreflightRule.RECIPIENT})
"""What no reason lets pass: there would be no letter."""
_ORDER = {severity: place for place, severity in enumerate(PreflightSeverity)}
_STATUS = {
    HealthStatus.OK: PreflightSeverity.FINE,
    HealthStatus.WARN: PreflightSeverity.WARNING,
    HealthStatus.FAIL: PreflightSeverity.BLOCKING,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class PreflightResult:
    """One result of a check."""

    severity: PreflightSeverity
    rule: PreflightRule
    message: str
    """What was found, in one sentence."""
    cure: str = ""
    """What helps; empty where nothing has to be done."""
    edition: str | None = None
    """The language of the edition that it is about; None for the whole campaign."""
    line: int | None = None
    """The line of the edition's text, from 1."""
    key: str | None = None
    """Of a problem of a text: the key with which the review page accepts it."""

    @property
    def blocks(self) -> bool:
        """Whether it keeps the campaign back."""
        return self.severity is PreflightSeverity.BLOCKING

    def sentence(self) -> str:
        """The result in one line: where, what, and what helps."""
        where = f"{self.edition}, line {self.line}: " if self.line else f"{self.edition}: " if self.edition else ""
        return f"{where}{self.message}" + (f" ({self.cure})" if self.cure else "")


def blocking(rule: PreflightRule, message: str, cure: str = "") -> PreflightResult:
    """A result that keeps the campaign back."""
    return PreflightResult(severity=PreflightSeverity.BLOCKING, rule=rule, message=message, cure=cure)


def warning(rule: PreflightRule, message: str, cure: str = "") -> PreflightResult:
    """A result that somebody should look at."""
    return PreflightResult(severity=PreflightSeverity.WARNING, rule=rule, message=message, cure=cure)


def fine(rule: PreflightRule, message: str) -> PreflightResult:
    """Something that is in order."""
    return PreflightResult(severity=PreflightSeverity.FINE, rule=rule, message=message)


def from_health_check(check: HealthCheck, rule: PreflightRule, worst: PreflightSeverity) -> PreflightResult:
    """The result for one check of `mailer doctor`, no graver than `worst`."""
    severity = max(_STATUS[check.status], worst, key=_ORDER.__getitem__)
    return PreflightResult(severity=severity, rule=rule, message=f"{check.check}: {check.message}", cure=check.remedy)


def sort_results(results: Iterable[PreflightResult]) -> tuple[PreflightResult, ...]:
    """Each result once, the gravest first; those of one severity in their order."""
    return tuple(sorted(dict.fromkeys(results), key=lambda one: _ORDER[one.severity]))


def blocking_results(results: Iterable[PreflightResult], *, anyway: bool) -> tuple[PreflightResult, ...]:
    """Those that keep a campaign back; `anyway`: although an organiser has given a reason to send it."""
    return tuple(one for one in results if one.blocks and not (anyway and one.rule not in CANNOT_BE_WRITTEN))


@dataclass(frozen=True, kw_only=True, slots=True)
class PreflightReport:
    """The results of one check of a campaign."""

    campaign_id: int
    checked_at: datetime
    results: tuple[PreflightResult, ...]
    """The gravest first."""
    digest: str = ""
    """Of the texts that were checked."""
    readers: int = 0
    """Of how many people the letter was written."""
    left_out: tuple[str, ...] = field(default=())
    """What was not looked at, in words."""

    def of_severity(self, severity: PreflightSeverity) -> tuple[PreflightResult, ...]:
        """The results of one severity."""
        return tuple(one for one in self.results if one.severity is severity)

    @property
    def blocks(self) -> bool:
        """Whether something keeps the campaign back."""
        return any(one.blocks for one in self.results)


def hide_people(report: PreflightReport) -> PreflightReport:
    """The same report without addresses, for whoever may not see people."""
    hidden = tuple(replace(one, message=hide_addresses(one.message)) for one in report.results)
    return replace(report, results=hidden)
