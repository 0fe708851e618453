"""One row of a table of people, as an organiser brings it and takes it out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from mailer.domain.address import Address
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import TableRefused

PERSON_COLUMNS = ("email", "name", "language", "zone")
STATE_COLUMNS = ("state", "suppressed", "agreed_at", "changed_at")
"""What an export of everybody tells beside: a table with the first of them, and all OWN_COLUMNS, is one of ours."""
_EVERYWHERE = "everywhere"
_STATES_BY_STRICTNESS = (SubscriptionState.CONFIRMED, SubscriptionState.PENDING, SubscriptionState.UNSUBSCRIBED)
# What a spreadsheet takes for a formula (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, kw_only=True, slots=True)
class SuppressionEntry:
    """An order not to mail a person, as a cell tells it: `left 2027-03-01T08:00:00+00:00`, `bounced everywhere ...`."""

    reason: SuppressionReason
    everywhere: bool
    since: datetime | None

    def __str__(self) -> str:
        since = self.since.isoformat() if self.since else ""
        return " ".join(filter(None, (self.reason, _EVERYWHERE if self.everywhere else "", since)))


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonRow:
    """A person to import."""

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
    """What in the row could not be used, though the person can."""

    @property
    def has_left(self) -> bool:
        """Whether the row says that this person left, whatever its state says."""
        gone = {SuppressionReason.LEFT, SuppressionReason.NEVER}
        confirmed = self.state is SubscriptionState.CONFIRMED
        return self.state is SubscriptionState.UNSUBSCRIBED or (
            confirmed and not gone.isdisjoint(one.reason for one in self.suppressions)
        )

    def merge_over(self, earlier: PersonRow) -> PersonRow:
        """Both rows of one person: these cells go over the earlier ones, the stricter state and all orders stay."""
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
    """The orders in a cell of the column `suppressed`; TableRefused for anything else."""
    return tuple(_parse_suppression(told.split()) for told in cell.split(";") if told.strip())


def _parse_suppression(words: list[str]) -> SuppressionEntry:
    reason, *rest = words
    everywhere = rest[:1] == [_EVERYWHERE]
    since = parse_timestamp(" ".join(rest[1:] if everywhere else rest))
    if reason.lower() not in set(SuppressionReason) or (since is None and len(rest) > everywhere):
        raise TableRefused(f"suppressed holds {' '.join(words)!r}, which is no order that we know")
    return SuppressionEntry(reason=SuppressionReason(reason.lower()), everywhere=everywhere, since=since)


def parse_timestamp(cell: str) -> datetime | None:
    """An instant of ISO 8601, in UTC where it names no offset; None for anything else."""
    try:
        read = datetime.fromisoformat(cell)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def escape_formula(cell: str) -> str:
    """A cell no spreadsheet runs: an apostrophe goes before what looks like a formula."""
    return f"'{cell}" if cell.lstrip("'").startswith(_FORMULA_STARTS) else cell


def unescape_formula(cell: str) -> str:
    """The cell as it was before `defused`."""
    return cell[1:] if cell.startswith("'") and cell[1:].lstrip("'").startswith(_FORMULA_STARTS) else cell
