"""What the governor counts: accepted, refused, deferred and bounced letters of a campaign, by provider.

They are counted since the campaign was last resumed, or since the provider's letters were last held.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select

from mailer.domain.abuse_limits import CounterKind
from mailer.domain.bounce import FeedbackKind, Severity
from mailer.domain.governor import CounterKey, DeliveryCounts
from mailer.store import counters
from mailer.store.people_tables import returned, tally
from mailer.store.queue.queue_tables import delivery

ALL_PROVIDERS = ""
"""In place of a provider: all letters of a campaign."""
_COUNTER_FIELDS = {CounterKind.ACCEPTED: "accepted", CounterKind.REFUSED: "refused", CounterKind.DEFERRED: "deferred"}


def add_counts(tx: Connection, counts: Mapping[CounterKey, int], now: datetime) -> None:
    """Add to the numbers of letters that were accepted, refused or deferred."""
    counters.increment_many(
        tx, {(kind, _counter_key(number, domain)): more for (number, domain, kind), more in counts.items()}, now
    )


def load_counts(tx: Connection, campaign_id: int) -> dict[str, DeliveryCounts]:
    """The counts by provider, and under ALL_PROVIDERS of all. A bounce counts where its letter does."""
    numbers: defaultdict[str, Counter[str]] = defaultdict(Counter)
    since: dict[str, datetime] = {}
    kinds = tally.c.kind.in_([*_COUNTER_FIELDS, CounterKind.GOVERNED])
    found = select(tally.c.kind, tally.c.of, tally.c.since, tally.c["count"].label("number")).where(
        kinds, tally.c.of.startswith(_counter_key(campaign_id, ALL_PROVIDERS), autoescape=True)
    )
    for row in tx.execute(found):
        domain = row.of.partition(" ")[2]
        if row.kind == CounterKind.GOVERNED:
            since[domain] = row.since
        else:
            numbers[domain][_COUNTER_FIELDS[CounterKind(row.kind)]] = row.number
    for domain, is_complaint, number in _count_feedback(tx, campaign_id, since):
        for of in (domain, ALL_PROVIDERS):
            numbers[of]["complaints" if is_complaint else "hard"] += number
    return {domain: DeliveryCounts(**counted) for domain, counted in numbers.items()}


def _count_feedback(tx: Connection, campaign_id: int, since: Mapping[str, datetime]) -> list[tuple[str, bool, int]]:
    """Complaints and hard bounces (provider, whether complaints, count) since these times."""
    is_complaint = returned.c.kind == FeedbackKind.COMPLAINT
    is_hard = and_(returned.c.kind == FeedbackKind.BOUNCE, returned.c.weight == Severity.HARD)
    counted = select(returned.c.domain, returned.c.kind, func.count()).where(
        returned.c.campaign_id == campaign_id, or_(is_complaint, is_hard), returned.c.undone_at.is_(None)
    )
    if since:
        counted = counted.join(delivery, delivery.c.id == returned.c.delivery_id).where(_is_after(since))
    found = tx.execute(counted.group_by(returned.c.domain, returned.c.kind))
    return [(domain, kind == FeedbackKind.COMPLAINT, number) for domain, kind, number in found]


def _is_after(since: Mapping[str, datetime]) -> ColumnElement[bool]:
    own = {domain: at for domain, at in since.items() if domain != ALL_PROVIDERS}
    others: list[ColumnElement[bool]] = [returned.c.domain.not_in(list(own))]
    if ALL_PROVIDERS in since:
        others.append(delivery.c.answered_at > since[ALL_PROVIDERS])
    answered = (and_(returned.c.domain == domain, delivery.c.answered_at > at) for domain, at in own.items())
    return or_(and_(*others), *answered)


def reset_counts(tx: Connection, campaign_id: int, now: datetime) -> None:
    """Count anew from now: an organiser has resumed the campaign."""
    of = tally.c.of.startswith(_counter_key(campaign_id, ALL_PROVIDERS), autoescape=True)
    tx.execute(delete(tally).where(tally.c.kind.in_([*_COUNTER_FIELDS, CounterKind.GOVERNED]), of))
    counters.set_value(tx, CounterKind.GOVERNED, _counter_key(campaign_id, ALL_PROVIDERS), 0, now)


def record_hold(tx: Connection, campaign_id: int, domain: str, counts: DeliveryCounts, now: datetime) -> int:
    """Record that a provider's letters are held, and count them anew; returns how often that happened."""
    of = _counter_key(campaign_id, domain)
    times = counters.get_value(tx, CounterKind.GOVERNED, of) + 1
    counters.set_value(tx, CounterKind.GOVERNED, of, times, now)
    for kind, name in _COUNTER_FIELDS.items():
        counters.reset(tx, kind, of)
        left = max(counters.get_value(tx, kind, _counter_key(campaign_id, ALL_PROVIDERS)) - asdict(counts)[name], 0)
        counters.set_value(tx, kind, _counter_key(campaign_id, ALL_PROVIDERS), left, now)
    return times


def _counter_key(campaign_id: int, domain: str) -> str:
    return f"{campaign_id} {domain}"
