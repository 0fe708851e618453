"""What a restored database must not do by itself: send again what was sent after the backup, or mail who left since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, null, select, update

from mailer.domain.campaign import CAN_BE_PAUSED, CampaignState
from mailer.store.backup.reflected_tables import own_tables
from mailer.store.inserts import insert_into

_UNTIL = "until"
"""A column that old databases do not have."""


@dataclass(frozen=True, slots=True)
class PausedCampaigns:
    """The campaigns that wait for an organiser."""

    paused: tuple[int, ...]
    """They were being sent, or were paused already."""
    unscheduled: tuple[int, ...]
    """They were scheduled, and are drafts now."""


@dataclass(frozen=True, slots=True)
class SuppressionRecord:
    """A suppression in terms that are valid in another database, too."""

    suppression_key: str
    mailing_list: str | None
    """The name of the list; None for every list."""
    reason: str
    created_at: datetime
    until: datetime | None
    """When a pause ends."""


def pause_all_campaigns(tx: Connection, at: str) -> PausedCampaigns:
    """Keep every campaign from going on or starting: its letters may have been sent after the backup."""
    campaign = _tables(tx)["campaign"]
    remark = f"restored from a backup of {at}: what left after it would leave again"

    def move(states: Sequence[str], to: CampaignState) -> tuple[int, ...]:
        moved = update(campaign).where(campaign.c.state.in_(states)).values(state=to.value, remark=remark)
        return tuple(sorted(tx.execute(moved.returning(campaign.c.id)).scalars()))

    return PausedCampaigns(
        paused=move([*CAN_BE_PAUSED, CampaignState.PAUSED], CampaignState.PAUSED),
        unscheduled=move([CampaignState.SCHEDULED], CampaignState.DRAFT),
    )


def list_suppressions(tx: Connection) -> list[SuppressionRecord]:
    """All suppressions in a database."""
    tables = _tables(tx)
    if "suppression" not in tables:
        return []
    suppression, mailing_list = tables["suppression"], tables["mailing_list"]
    until = suppression.c.until if _UNTIL in suppression.c else null()
    columns = (suppression.c.suppression_key, mailing_list.c.name, suppression.c.reason, suppression.c.created_at)
    found = select(*columns, until)
    of_list = suppression.c.mailing_list_id == mailing_list.c.id
    return [
        SuppressionRecord(*row) for row in tx.execute(found.join_from(suppression, mailing_list, of_list, isouter=True))
    ]


def add_suppressions(tx: Connection, suppressions: Sequence[SuppressionRecord]) -> int:
    """Add these suppressions where their lists exist; returns how many are new."""
    tables = _tables(tx)
    lists, suppression = tables["mailing_list"], tables["suppression"]
    named: dict[str | None, int] = {name: number for number, name in tx.execute(select(lists.c.id, lists.c.name))}
    named[None] = 0
    new = 0
    for one in suppressions:
        if one.mailing_list in named:
            row = {
                "suppression_key": one.suppression_key,
                "mailing_list_id": named[one.mailing_list],
                "reason": one.reason,
                "created_at": one.created_at,
            }
            if _UNTIL in suppression.c:
                row[_UNTIL] = one.until
            new += tx.execute(insert_into(tx, suppression).values(row).on_conflict_do_nothing()).rowcount
    return new


def _tables(tx: Connection) -> dict[str, Table]:
    return {table.name: table for table in own_tables(tx)}
