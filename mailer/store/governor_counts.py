"""What was heard of a campaign's letters, provider by provider, since it was last resumed or they were last held."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select

from mailer.domain.abuse_limits import Counted
from mailer.domain.bounce import ReturnKind, Weight
from mailer.domain.governor import Heard, Key
from mailer.store import counters
from mailer.store.people_tables import returned, tally
from mailer.store.queue.queue_tables import delivery

WHOLE = ""
"""Instead of a provider: all of a campaign's letters."""
_HEARD = {Counted.ACCEPTED: "accepted", Counted.REFUSED: "refused", Counted.DEFERRED: "deferred"}


def note(tx: Connection, heard: Mapping[Key, int], now: datetime) -> None:
    """So many more letters of a campaign to a provider were accepted, refused or deferred."""
    counters.add(tx, {(kind, _of(number, domain)): more for (number, domain, kind), more in heard.items()}, now)


def heard(tx: Connection, campaign_id: int) -> dict[str, Heard]:
    """What was heard, by provider; under `WHOLE` of all. A return counts where its letter does."""
    numbers: defaultdict[str, Counter[str]] = defaultdict(Counter)
    since: dict[str, datetime] = {}
    kinds = tally.c.kind.in_([*_HEARD, Counted.GOVERNED])
    found = select(tally.c.kind, tally.c.of, tally.c.since, tally.c["count"].label("number")).where(
        kinds, tally.c.of.startswith(_of(campaign_id, WHOLE), autoescape=True)
    )
    for row in tx.execute(found):
        domain = row.of.partition(" ")[2]
        if row.kind == Counted.GOVERNED:
            since[domain] = row.since
        else:
            numbers[domain][_HEARD[Counted(row.kind)]] = row.number
    for domain, is_complaint, number in _came_back(tx, campaign_id, since):
        for of in (domain, WHOLE):
            numbers[of]["complaints" if is_complaint else "hard"] += number
    return {domain: Heard(**counted) for domain, counted in numbers.items()}


def _came_back(tx: Connection, campaign_id: int, since: Mapping[str, datetime]) -> list[tuple[str, bool, int]]:
    """Complaints and hard bounces (provider, whether complaints, how many); only since then are letters looked up."""
    is_complaint = returned.c.kind == ReturnKind.COMPLAINT
    is_hard = and_(returned.c.kind == ReturnKind.BOUNCE, returned.c.weight == Weight.HARD)
    counted = select(returned.c.domain, returned.c.kind, func.count()).where(
        returned.c.campaign_id == campaign_id, or_(is_complaint, is_hard), returned.c.undone_at.is_(None)
    )
    if since:
        counted = counted.join(delivery, delivery.c.id == returned.c.delivery_id).where(_newer(since))
    found = tx.execute(counted.group_by(returned.c.domain, returned.c.kind))
    return [(domain, kind == ReturnKind.COMPLAINT, number) for domain, kind, number in found]


def _newer(since: Mapping[str, datetime]) -> ColumnElement[bool]:
    own = {domain: at for domain, at in since.items() if domain != WHOLE}
    others: list[ColumnElement[bool]] = [returned.c.domain.not_in(list(own))]
    if WHOLE in since:
        others.append(delivery.c.answered_at > since[WHOLE])
    answered = (and_(returned.c.domain == domain, delivery.c.answered_at > at) for domain, at in own.items())
    return or_(and_(*others), *answered)


def begin_anew(tx: Connection, campaign_id: int, now: datetime) -> None:
    """Of what went before now nothing counts any more: people know of it, and go on."""
    of = tally.c.of.startswith(_of(campaign_id, WHOLE), autoescape=True)
    tx.execute(delete(tally).where(tally.c.kind.in_([*_HEARD, Counted.GOVERNED]), of))
    counters.put(tx, Counted.GOVERNED, _of(campaign_id, WHOLE), 0, now)


def hold(tx: Connection, campaign_id: int, domain: str, was: Heard, now: datetime) -> int:
    """A provider's letters are held from now on, and only those after them count; how often that makes."""
    of = _of(campaign_id, domain)
    times = counters.reached(tx, Counted.GOVERNED, of) + 1
    counters.put(tx, Counted.GOVERNED, of, times, now)
    for kind, name in _HEARD.items():
        counters.forget(tx, kind, of)
        left = max(counters.reached(tx, kind, _of(campaign_id, WHOLE)) - asdict(was)[name], 0)
        counters.put(tx, kind, _of(campaign_id, WHOLE), left, now)
    return times


def _of(campaign_id: int, domain: str) -> str:
    return f"{campaign_id} {domain}"
