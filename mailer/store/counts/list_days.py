"""Joins and leaves of each list by day, of UTC: a day that is over is counted once, and kept."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection, func, select

from mailer.domain.consent import AGREEING_ACTS, ConsentAct
from mailer.domain.list_day import ListDay
from mailer.store.counts.count_tables import list_day
from mailer.store.inserts import insert_into
from mailer.store.people_tables import consent

_LOOKED_AT = 20_000
"""Of how many lines of the consent record today is counted while somebody waits for a page."""
_ACTS = {**dict.fromkeys(AGREEING_ACTS, "joined"), ConsentAct.LEFT: "left"}


def load_days(tx: Connection, mailing_list_ids: Collection[int], today: date, days: int) -> list[ListDay]:
    """The last `days` days of these lists together, today last.

    Earlier days are as they were counted. So is today, where more happened than can be counted at once.
    """
    found: defaultdict[date, Counter[str]] = defaultdict(Counter)
    stored = select(list_day.c.day, func.sum(list_day.c.joined), func.sum(list_day.c.left)).where(
        list_day.c.mailing_list_id.in_(mailing_list_ids), list_day.c.day > today - timedelta(days=days)
    )
    for day, joined, left in tx.execute(stored.group_by(list_day.c.day)):
        found[day].update({"joined": int(joined), "left": int(left)})
    live = count_day(tx, mailing_list_ids, today, _LOOKED_AT)
    if live is not None:
        found[today] = Counter()
        for counted in live.values():
            found[today].update(counted)
    wanted = (today - timedelta(days=back) for back in range(days - 1, -1, -1))
    return [ListDay(day=day, joined=found[day]["joined"], left=found[day]["left"]) for day in wanted]


def count_day(
    tx: Connection, mailing_list_ids: Collection[int], day: date, most: int | None = None
) -> dict[int, Counter[str]] | None:
    """How many joined and left on a day, by list; None where more than `most` lines would have to be looked at."""
    begin = datetime.combine(day, time(), UTC)
    lines = select(consent.c.mailing_list_id, consent.c.act).where(
        consent.c.mailing_list_id.in_(mailing_list_ids), consent.c.at >= begin, consent.c.at < begin + timedelta(days=1)
    )
    some = (lines if most is None else lines.limit(most + 1)).subquery("lines")
    number, looked_at = func.count(), 0
    found: dict[int, Counter[str]] = {}
    for list_id, act, times in tx.execute(
        select(some.c.mailing_list_id, some.c.act, number).group_by(some.c.mailing_list_id, some.c.act)
    ):
        looked_at += times
        if what := _ACTS.get(ConsentAct(act)):
            found.setdefault(list_id, Counter())[what] += times
    return None if most is not None and looked_at > most else found


def save_day(tx: Connection, day: date, counted: dict[int, Counter[str]]) -> None:
    """Keep what was counted of a day, in place of an earlier count of it."""
    for list_id, numbers in counted.items():
        values = {"joined": numbers["joined"], "left": numbers["left"]}
        statement = insert_into(tx, list_day).values(mailing_list_id=list_id, day=day, **values)
        tx.execute(statement.on_conflict_do_update(index_elements=["mailing_list_id", "day"], set_=values))
