"""PersonRow: one row of an imported or exported table of people, and the formats of its cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from mailer.domain.address import Address
from mailer.domain.subscription import DeliveryMode, SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import TableRefused

PERSON_COLUMNS = ("email", "name", "language", "zone")
STATE_COLUMNS = ("state", "delivery_mode", "suppressed", "agreed_at", "changed_at")
"""The further columns of an export of everybody. A table with PERSON_COLUMNS and `state` is such an export."""
ATTRIBUTE_PREFIX = "attributes."
"""Begins the headings of attributes in an export of everybody, so that they can be called anything."""
_EVERYWHERE, _UNTIL = "everywhere", "until"
_STATES_BY_STRICTNESS = (None, SubscriptionState.CONFIRMED, SubscriptionState.PENDING, SubscriptionState.UNSUBSCRIBED)
"""None, who is no reader, becomes one by any other row."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A spreadsheet takes a cell that begins so for a formula (OWASP, "CSV Injection"); some take wide signs, too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SuppressionEntry:
    """A suppression as a cell holds it: `left 2027-03-01T08:00:00+00:00`, `bounced everywhere ...`."""

    reason: SuppressionReason
    everywhere: bool
    since: datetime | None
    until: datetime | None = None
    """When a pause ends."""

    def __str__(self) -> str:
        since = self.since.isoformat() if self.since else ""
        until = f"{_UNTIL} {self.until.isoformat()}" if self.until else ""
        return " ".join(filter(None, (self.reason, _EVERYWHERE if self.everywhere else "", since, until)))


@dataclass(frozen=True, kw_only=True, slots=True)
class SuppressedKey:
    """A suppression in an export of ours of somebody whose address it does not tell."""

    key: str
    """The keyed hash of the address (Keyring.suppression_key)."""
    secret_id: str
    """Names the secret that the hash was made with (Keyring.secret_id); with another one it names nobody."""
    suppression: SuppressionEntry


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentRow:
    """A line of the consent record in an export of ours."""

    address: Address
    at: datetime
    act: str
    way: str
    evidence: Mapping[str, Any]


class ListRole(StrEnum):
    """What a person is on a list elsewhere, other than a reader."""

    OWNER = "owner"
    MODERATOR = "moderator"
    NONMEMBER = "nonmember"
    """Not a reader: an address that the list's software knows, since it may post, or may not."""


class EvidenceGrade(StrEnum):
    """How well an export proves that a person agreed."""

    STRONG = "strong"
    """A confirmation with its time, and the IP address or the verification that came with it."""
    SOME = "some"
    """A date."""
    NONE = "none"


_MODES_BY_FREQUENCY = tuple(DeliveryMode)
_GRADES_BY_WEAKNESS = tuple(EvidenceGrade)


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonRow:
    """A person to import: who it is, and what the export says that the person wants."""

    address: Address
    name: str | None = None
    language: str | None = None
    zone: str | None = None
    attributes: dict[str, str]
    state: SubscriptionState | None = SubscriptionState.CONFIRMED
    """None for people who are no readers and never were: of them only suppressions and roles count."""
    delivery_mode: DeliveryMode = DeliveryMode.EACH
    role: ListRole | None = None
    """None for a reader who is nothing else."""
    preferences: Mapping[str, bool] = field(default_factory=dict)
    """Choices without an equal here, named as left behind: own_posts, copies, moderated, may_post."""
    suppressions: tuple[SuppressionEntry, ...] = ()
    agreed_at: datetime | None = None
    changed_at: datetime | None = None
    """When the state became what it is: of a person who left, the day."""
    evidence_grade: EvidenceGrade = EvidenceGrade.NONE
    evidence: Mapping[str, str] = field(default_factory=dict)
    """The export's own words, for the consent record: optin, optin_ip, confirm_ip, source, reason; by: "owner"."""
    source_token: str | None = None
    """By what links in the other software's letters name the person: listmonk's UUID, phpList's uid."""
    remarks: tuple[str, ...] = ()
    """What in the row cannot be used or is remarkable, though the person can be imported."""

    @property
    def has_left(self) -> bool:
        """Whether the person is unsubscribed: by state, or confirmed with a suppression that the person asked for."""
        left = {SuppressionReason.LEFT, SuppressionReason.NEVER}
        confirmed = self.state is SubscriptionState.CONFIRMED
        return self.state is SubscriptionState.UNSUBSCRIBED or (
            confirmed and not left.isdisjoint(one.reason for one in self.suppressions)
        )

    def merge_over(self, earlier: PersonRow) -> PersonRow:
        """Merge two rows of one person: cells of this one win, the stricter state and all suppressions are kept."""
        readers = [one for one in (self, earlier) if one.state is not None] or [self]
        return replace(
            self,
            address=earlier.address,
            name=self.name or earlier.name,
            language=self.language or earlier.language,
            zone=self.zone or earlier.zone,
            attributes=earlier.attributes | self.attributes,
            state=max(self.state, earlier.state, key=_STATES_BY_STRICTNESS.index),
            delivery_mode=min((one.delivery_mode for one in readers), key=_MODES_BY_FREQUENCY.index),
            role=self.role or earlier.role,
            preferences={**earlier.preferences, **self.preferences},
            suppressions=tuple(dict.fromkeys((*earlier.suppressions, *self.suppressions))),
            agreed_at=self.agreed_at or earlier.agreed_at,
            changed_at=self.changed_at or earlier.changed_at,
            evidence_grade=min(self.evidence_grade, earlier.evidence_grade, key=_GRADES_BY_WEAKNESS.index),
            evidence={**earlier.evidence, **self.evidence},
            source_token=self.source_token or earlier.source_token,
            remarks=tuple(dict.fromkeys((*earlier.remarks, *self.remarks))),
        )


def parse_suppressions(cell: str) -> tuple[SuppressionEntry, ...]:
    """Parse a cell of the column `suppressed`, entries separated by semicolons. Raises TableRefused."""
    return tuple(_parse_suppression(entry.split()) for entry in cell.split(";") if entry.strip())


def _parse_suppression(words: list[str]) -> SuppressionEntry:
    reason, *rest = words
    everywhere = rest[:1] == [_EVERYWHERE]
    times = rest[1:] if everywhere else rest
    at = times.index(_UNTIL) if _UNTIL in times else len(times)
    since, until = (parse_timestamp(" ".join(part)) for part in (times[:at], times[at + 1 :]))
    complete = (since is not None or not times[:at]) and (until is not None or at == len(times))
    if reason.lower() not in set(SuppressionReason) or not complete:
        raise TableRefused(f"suppressed holds {' '.join(words)!r}, which is no suppression that is known here")
    return SuppressionEntry(reason=SuppressionReason(reason.lower()), everywhere=everywhere, since=since, until=until)


def parse_timestamp(cell: str) -> datetime | None:
    """Parse a timestamp of ISO 8601, in UTC where it has no offset. None for anything else."""
    try:
        timestamp = datetime.fromisoformat(cell)
    except ValueError:
        return None
    return timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)


def escape_formula(cell: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would run as a formula."""
    return f"'{cell}" if cell.lstrip("'").startswith(FORMULA_STARTS) else cell


def unescape_formula(cell: str) -> str:
    """Undo `escape_formula`."""
    return cell[1:] if cell.startswith("'") and cell[1:].lstrip("'").startswith(FORMULA_STARTS) else cell
