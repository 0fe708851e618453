"""PersonRow: one row of an imported or exported table of people, and the formats of its cells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from mailer.domain.address import Address
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import TableRefused

PERSON_COLUMNS = ("email", "name", "language", "zone")
STATE_COLUMNS = ("state", "suppressed", "agreed_at", "changed_at")
"""The further columns of an export of everybody. A table with PERSON_COLUMNS and `state` is such an export."""
_EVERYWHERE = "everywhere"
_STATES_BY_STRICTNESS = (SubscriptionState.CONFIRMED, SubscriptionState.PENDING, SubscriptionState.UNSUBSCRIBED)
# A spreadsheet takes a cell that begins so for a formula (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, kw_only=True, slots=True)
class SuppressionEntry:
    """A suppression as a cell holds it: `left 2027-03-01T08:00:00+00:00`, `bounced everywhere ...`."""

    reason: SuppressionReason
    everywhere: bool
    since: datetime | None

    def __str__(self) -> str:
        since = self.since.isoformat() if self.since else ""
        return " ".join(filter(None, (self.reason, _EVERYWHERE if self.everywhere else "", since)))


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonRow:
    """A person to import, with state and suppressions where the table is an export of ours."""

    address: Address
    name: str | None = None
    language: str | None = None
    zone: str | None = None
    attributes: dict[str, str]
    state: SubscriptionState = SubscriptionState.CONFIRMED
    suppressions: tuple[SuppressionEntry, ...] = ()
    agreed_at: datetime | None = None
    changed_at: datetime | None = None
    remarks: tuple[str, ...] = ()
    """What in the row cannot be used, though the person can be imported."""

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
        return replace(
            self,
            address=earlier.address,
            name=self.name or earlier.name,
            language=self.language or earlier.language,
            zone=self.zone or earlier.zone,
            attributes=earlier.attributes | self.attributes,
            state=max(self.state, earlier.state, key=_STATES_BY_STRICTNESS.index),
            suppressions=tuple(dict.fromkeys((*earlier.suppressions, *self.suppressions))),
            agreed_at=self.agreed_at or earlier.agreed_at,
            changed_at=self.changed_at or earlier.changed_at,
        )


def parse_suppressions(cell: str) -> tuple[SuppressionEntry, ...]:
    """Parse a cell of the column `suppressed`, entries separated by semicolons. Raises TableRefused."""
    return tuple(_parse_suppression(entry.split()) for entry in cell.split(";") if entry.strip())


def _parse_suppression(words: list[str]) -> SuppressionEntry:
    reason, *rest = words
    everywhere = rest[:1] == [_EVERYWHERE]
    since = parse_timestamp(" ".join(rest[1:] if everywhere else rest))
    if reason.lower() not in set(SuppressionReason) or (since is None and len(rest) > everywhere):
        raise TableRefused(f"suppressed holds {' '.join(words)!r}, which is no suppression that is known here")
    return SuppressionEntry(reason=SuppressionReason(reason.lower()), everywhere=everywhere, since=since)


def parse_timestamp(cell: str) -> datetime | None:
    """Parse a timestamp of ISO 8601, in UTC where it has no offset. None for anything else."""
    try:
        timestamp = datetime.fromisoformat(cell)
    except ValueError:
        return None
    return timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)


def escape_formula(cell: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would run as a formula."""
    return f"'{cell}" if cell.lstrip("'").startswith(_FORMULA_STARTS) else cell


def unescape_formula(cell: str) -> str:
    """Undo `escape_formula`."""
    return cell[1:] if cell.startswith("'") and cell[1:].lstrip("'").startswith(_FORMULA_STARTS) else cell
