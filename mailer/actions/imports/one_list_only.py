"""Keeps an import of somebody who manages one list from suppressing people on every list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.suppression import SuppressionReason
from mailer.importers.bad_row import BadRow, LeftBehind
from mailer.importers.export_format import ExportRows
from mailer.importers.person_row import PersonRow, SuppressedKey, SuppressionEntry

_Rows = Iterator[tuple[int, PersonRow | BadRow | LeftBehind]]


def within_permission(actor: Actor, export: ExportRows) -> ExportRows:
    """The export as this actor may import it: without MANAGE_SITE, what stands for every list stands for this one."""
    if actor.may(Permission.MANAGE_SITE):
        return export
    return replace(export, rows=_narrow_rows(export.rows), suppressed_keys=_NarrowedKeys(export.suppressed_keys))


def _narrow_rows(rows: _Rows) -> _Rows:
    people = 0
    for line, row in rows:
        if isinstance(row, PersonRow) and any(one.everywhere for one in row.suppressions):
            people += 1
            yield line, replace(row, suppressions=tuple(dict.fromkeys(map(_narrow, row.suppressions))))
        else:
            yield line, row
    if people:
        reason = f"{people} people are kept out of this list only: for every list, an owner of the site must import it"
        yield 0, LeftBehind("suppressions", reason)


def _narrow(one: SuppressionEntry) -> SuppressionEntry:
    if not one.everywhere:
        return one
    # Never to be asked again is a wish about every list; of one list it leaves that they left.
    reason = SuppressionReason.LEFT if one.reason is SuppressionReason.NEVER else one.reason
    return replace(one, reason=reason, everywhere=False)


@dataclass(frozen=True, slots=True)
class _NarrowedKeys:
    """Suppressed keys for one list; each iteration reads them anew."""

    keys: Iterable[SuppressedKey]

    def __iter__(self) -> Iterator[SuppressedKey]:
        return (replace(one, suppression=_narrow(one.suppression)) for one in self.keys)
