"""What the cells of a row in a spreadsheet say of its person: whether they agreed, left or bounced, and when."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import TableRefused
from mailer.importers.column_words import normalize_heading, read_flag
from mailer.importers.export_times import parse_export_time
from mailer.importers.person_row import SuppressionEntry
from mailer.importers.state_words import AGREEING, DEPARTING, STATE_SAYING, StatedState, StateHeading, stated_state
from mailer.importers.table_columns import Column

_LONGEST = 60
_NOTHING = frozenset(("-", "--", "---", "–", "—", "/", "n/a", "nan", "null", "none", "nil", "(leer)"))
"""Cells that hold nothing, in lower case."""
_NO_DATE = re.compile(r"0{4}-0{2}-0{2}.*|0{2}[./-]0{2}[./-]0{4}.*")
_DATE_LIKE = re.compile(r"\d{1,4}[-./]\s?\d{1,2}[-./]\s?\d{1,4}\b.*|\d{1,2}[./]?\s[^\W\d_]{3,}\.?,?\s\d{4}")
_SHORT_FLAG = re.compile(r"\d|[^\W\d_]|\W")
_STATES: dict[StatedState, SubscriptionState | None] = {
    StatedState.CONFIRMED: SubscriptionState.CONFIRMED,
    StatedState.BOUNCED: SubscriptionState.CONFIRMED,
    StatedState.PAUSED: SubscriptionState.CONFIRMED,
    StatedState.PENDING: SubscriptionState.PENDING,
    StatedState.BANNED: None,
    StatedState.NONE: None,
    StatedState.UNSUBSCRIBED: SubscriptionState.UNSUBSCRIBED,
    StatedState.COMPLAINED: SubscriptionState.UNSUBSCRIBED,
    StatedState.BLOCKED: SubscriptionState.UNSUBSCRIBED,
}
"""The state of whom a column says so."""
_SUPPRESSIONS = {
    StatedState.BOUNCED: (SuppressionReason.BOUNCED, False),
    StatedState.COMPLAINED: (SuppressionReason.COMPLAINED, True),
    StatedState.BLOCKED: (SuppressionReason.LEFT, True),
    StatedState.BANNED: (SuppressionReason.BANNED, False),
    StatedState.PAUSED: (SuppressionReason.PAUSED, False),
}
"""The reason, and whether it stands for every list."""
_STATELESS = {StatedState.BOUNCED, StatedState.PAUSED}
"""What says nothing else of a person where it has a column of its own."""
_BY_STRICTNESS = (SubscriptionState.CONFIRMED, SubscriptionState.PENDING, None, SubscriptionState.UNSUBSCRIBED)
"""Of what one row says. None, who never agreed, is stricter than whoever may still confirm."""


@dataclass(slots=True)
class RowStates:
    """What the cells of one row say together."""

    state: SubscriptionState | None
    suppressions: tuple[SuppressionEntry, ...] = ()
    agreed_at: datetime | None = None
    since: datetime | None = None
    left_at: datetime | None = None
    evidence: dict[str, str] = field(default_factory=dict)
    """The cells themselves."""
    remarks: list[str] = field(default_factory=list)


def says_something(says: StateHeading, cell: str) -> bool:
    """Whether a cell of a column that says who agreed is understood."""
    return _read_agreeing(says, cell, named=False) is not None


def read_row_states(
    agreeing: Sequence[Column], said: Sequence[tuple[Column, str]], default: SubscriptionState | None, zone: str | None
) -> RowStates:
    """What a row says. `agreeing` are the table's columns that say who agreed, `said` the row's full cells in columns
    that say anything, `default` is the state where there is no such column.

    Times that name no zone are in `zone`; if that is None, they make no date. Raises TableRefused for a cell that is
    not understood, and for an empty one in one of the `agreeing`.
    """
    row = RowStates(state=default)
    claims: list[SubscriptionState | None] = []
    kept_away: list[StatedState] = []
    empty = list(agreeing)
    for column, cell in said:
        if column.says in STATE_SAYING and _is_nothing(cell):
            continue
        if column.says in AGREEING:
            empty.remove(column)
            state = _agreeing_state(column, cell)
            claims.append(_STATES[state])
            kept_away += [state] if state in _SUPPRESSIONS else []
            _keep_day(row, "agreed_at", cell, zone, is_day=_is_written_day(cell))
            row.evidence[_evidence_name(column)] = cell
        elif column.says in DEPARTING:
            departed = _departed_state(column, cell, DEPARTING[column.says])
            if departed is None:
                continue
            claims += [] if departed in _STATELESS else [_STATES[departed]]
            kept_away += [departed] if departed in _SUPPRESSIONS else []
            _keep_day(row, "left_at", cell, zone, is_day=_is_day(cell))
            row.evidence[_evidence_name(column)] = cell
        else:
            _keep_detail(row, column, cell, zone)
    row.state = _strictest(claims, empty, kept_away) if agreeing else max((*claims, default), key=_BY_STRICTNESS.index)
    row.suppressions = _suppression_entries(kept_away, row.left_at)
    return row


def read_departures(said: Sequence[tuple[Column, str]], state: SubscriptionState | None, zone: str | None) -> RowStates:
    """What further columns of a row say of a person whose state is known: it can become stricter, never milder.

    A cell of a column that says who agreed counts only where it is understood. Raises TableRefused for one of a column
    that says who departed that is not.
    """
    row = RowStates(state=state)
    claims = [state]
    kept_away: list[StatedState] = []
    for column, cell in said:
        if _is_nothing(cell):
            continue
        if column.says in DEPARTING:
            stated = _departed_state(column, cell, DEPARTING[column.says])
        else:
            stated = _read_agreeing(column.says, cell, named=False)
        if stated is None or stated is StatedState.CONFIRMED:
            continue
        claims += [] if stated in _STATELESS else [_STATES[stated]]
        kept_away += [stated] if stated in _SUPPRESSIONS else []
        _keep_day(row, "left_at", cell, zone, is_day=_is_day(cell))
        row.evidence[_evidence_name(column)] = cell
    row.state = max(claims, key=_BY_STRICTNESS.index)
    row.suppressions = _suppression_entries(kept_away, row.left_at)
    return row


def _suppression_entries(kept_away: Sequence[StatedState], since: datetime | None) -> tuple[SuppressionEntry, ...]:
    return tuple(
        SuppressionEntry(reason=reason, everywhere=everywhere, since=since)
        for reason, everywhere in dict.fromkeys(_SUPPRESSIONS[one] for one in kept_away)
    )


def _strictest(
    claims: list[SubscriptionState | None], empty: Sequence[Column], kept_away: Sequence[StatedState]
) -> SubscriptionState | None:
    """The strictest state of a row; `empty` are columns that say who agreed, but not whether this person did."""
    strictest = max(claims, key=_BY_STRICTNESS.index) if claims else None
    if strictest is SubscriptionState.UNSUBSCRIBED or not empty:
        return strictest
    if kept_away:
        return None
    raise TableRefused(f"{empty[0].heading} is empty: nothing says whether they agreed")


def _agreeing_state(column: Column, cell: str) -> StatedState:
    state = _read_agreeing(column.says, cell, named=column.named)
    if state is None:
        raise TableRefused(f"{column.heading} is {_shown(cell)}, which is no state that is known here")
    return state


def _read_agreeing(says: StateHeading | None, cell: str, *, named: bool) -> StatedState | None:
    if len(cell) > _LONGEST:
        return None
    if (stated := stated_state(cell)) is not None:
        return stated
    flag = read_flag(cell)
    if says is StateHeading.STATUS and not named and _SHORT_FLAG.fullmatch(cell.strip()):
        return None
    if flag is None:
        return StatedState.CONFIRMED if says is not StateHeading.STATUS and _is_written_day(cell) else None
    if flag:
        return StatedState.CONFIRMED
    return StatedState.PENDING if says is StateHeading.CONFIRMED else StatedState.UNSUBSCRIBED


def _departed_state(column: Column, cell: str, means: StatedState) -> StatedState | None:
    """What a cell of a column for those who departed says; None where it says no."""
    stated = stated_state(cell) if len(cell) <= _LONGEST else None
    if stated not in {None, StatedState.CONFIRMED, StatedState.PENDING}:
        return stated
    flag = read_flag(cell)
    if flag is False:
        return None
    if flag or _is_day(cell):
        return means
    raise TableRefused(f"{column.heading} is {_shown(cell)}, which is not understood")


def _keep_detail(row: RowStates, column: Column, cell: str, zone: str | None) -> None:
    """Keep a cell that says when they agreed or joined, from where, or why they left."""
    if _is_nothing(cell):
        return
    if column.says is StateHeading.AGREED_AT:
        row.evidence[_evidence_name(column)] = cell
        _keep_day(row, "agreed_at", cell, zone, is_day=True)
    elif column.says is StateHeading.SINCE:
        row.evidence[_evidence_name(column)] = cell
        _keep_day(row, "since", cell, zone, is_day=True)
    elif column.says is not None:
        row.evidence[column.says] = cell


def _keep_day(row: RowStates, name: str, cell: str, zone: str | None, *, is_day: bool) -> None:
    if not is_day:
        return
    day = parse_export_time(cell, zone=zone)
    if day is None:
        unclear = "has no time zone (--zone)" if parse_export_time(cell, zone="UTC") else "is no clear date"
        row.remarks.append(f"{_shown(cell)} {unclear}: it is kept as text")
    elif getattr(row, name) is None:
        setattr(row, name, day)


def _is_nothing(cell: str) -> bool:
    return cell.lower() in _NOTHING or _NO_DATE.fullmatch(cell) is not None


def _is_written_day(cell: str) -> bool:
    """Whether a cell is a day, but no number, which may count something else."""
    return not cell.isdigit() and _is_day(cell)


def _is_day(cell: str) -> bool:
    return len(cell) <= _LONGEST and (
        _DATE_LIKE.fullmatch(cell) is not None or parse_export_time(cell, zone="UTC") is not None
    )


def _evidence_name(column: Column) -> str:
    return normalize_heading(column.heading).replace(" ", "_") or str(column.says)


def _shown(cell: str) -> str:
    return repr(cell if len(cell) <= _LONGEST else cell[:_LONGEST] + "...")
