"""How many people of a list a launch would reach: counted at once for a list of usual size, else from time to time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Select, case, delete, func, insert, literal, select

from mailer.domain.audience_count import AudienceCount, Reach
from mailer.domain.campaign import Campaign
from mailer.domain.subscription import SubscriptionState
from mailer.store import audience
from mailer.store.audience import is_suppressed_on
from mailer.store.counts.count_tables import audience_count
from mailer.store.people_tables import consent, subscriber, subscription

COUNTED_AT_ONCE = 20_000
"""A list with at most so many subscriptions is counted whenever somebody asks; of a larger one a count is kept."""


def load(tx: Connection, mailing_list_id: int, now: datetime) -> AudienceCount:
    """The people of a list: of a large one as `save` last wrote them, else counted now.

    A list that became large within the last minute is counted now, too.
    """
    stored = tx.execute(select(audience_count).where(audience_count.c.mailing_list_id == mailing_list_id)).all()
    if not stored:
        return count(tx, mailing_list_id, now)
    return _from_rows(((row.state, row.language, row.number) for row in stored), stored[0].counted_at)


def load_for(tx: Connection, campaign: Campaign, now: datetime) -> AudienceCount:
    """The people of a campaign's list, as `load` has them, without those whom a campaign before has mailed."""
    counted = load(tx, campaign.mailing_list_id, now)
    if campaign.not_mailed_by is None:
        return counted
    if counted.counted_at != now:
        return replace(counted, is_at_most=True)
    return replace(counted, languages=audience.count_by_language(tx, campaign))


def is_large(tx: Connection, mailing_list_id: int, at_once: int) -> bool:
    """Whether a list has more than `at_once` subscriptions; it looks at no more than that."""
    some = select(subscription.c.id).where(subscription.c.mailing_list_id == mailing_list_id).limit(at_once + 1)
    return tx.execute(select(func.count()).select_from(some.subquery())).scalar_one() > at_once


def count(tx: Connection, mailing_list_id: int, now: datetime) -> AudienceCount:
    """Count all people of a list."""
    rows = tx.execute(_count_query(mailing_list_id)).all()
    return _from_rows(((row.reach, row.tag, row.number) for row in rows), now)


def save(tx: Connection, mailing_list_id: int, counted: AudienceCount) -> None:
    """Keep what was counted, in place of an earlier count."""
    forget(tx, mailing_list_id)
    numbers = {(Reach.REACHED.value, language): number for language, number in counted.languages.items()}
    numbers |= {(why, ""): number for why, number in counted.excluded.items()}
    of_list = {"mailing_list_id": mailing_list_id, "counted_at": counted.counted_at}
    rows = [
        of_list | {"state": state, "language": language, "number": number}
        for (state, language), number in numbers.items()
    ]
    tx.execute(insert(audience_count), rows)


def forget(tx: Connection, mailing_list_id: int) -> None:
    """Keep no count: the list is counted whenever somebody asks."""
    tx.execute(delete(audience_count).where(audience_count.c.mailing_list_id == mailing_list_id))


def counted_at(tx: Connection, mailing_list_id: int) -> datetime | None:
    """The hour of the count that is kept; None if there is none."""
    return tx.execute(
        select(func.max(audience_count.c.counted_at)).where(audience_count.c.mailing_list_id == mailing_list_id)
    ).scalar_one()


def changed_at(tx: Connection, mailing_list_id: int) -> datetime | None:
    """When somebody last joined, left or was suppressed; None where nobody ever did."""
    return tx.execute(select(func.max(consent.c.at)).where(consent.c.mailing_list_id == mailing_list_id)).scalar_one()


def _count_query(mailing_list_id: int) -> Select[tuple[str, str, int]]:
    confirmed = subscription.c.state == SubscriptionState.CONFIRMED
    reached = Reach.REACHED.value
    reach = case(
        (subscription.c.state == SubscriptionState.PENDING, Reach.PENDING.value),
        (~confirmed, Reach.LEFT.value),
        (is_suppressed_on(mailing_list_id), Reach.SUPPRESSED.value),
        else_=reached,
    )
    each = (
        select(reach.label("reach"), subscriber.c.language.label("language"))
        .select_from(subscription.join(subscriber))
        .where(subscription.c.mailing_list_id == mailing_list_id)
        .subquery("each")
    )
    language = case((each.c.reach == literal(reached), func.coalesce(each.c.language, "")), else_="")
    counted = select(each.c.reach, language.label("tag")).subquery("counted")
    return select(counted.c.reach, counted.c.tag, func.count().label("number")).group_by(counted.c.reach, counted.c.tag)


def _from_rows(rows: Iterable[tuple[str, str, int]], counted_at: datetime) -> AudienceCount:
    numbers = {(state, language): number for state, language, number in rows}
    return AudienceCount(
        languages={tag: number for (state, tag), number in numbers.items() if state == Reach.REACHED},
        excluded={why.value: numbers.get((why.value, ""), 0) for why in (Reach.PENDING, Reach.SUPPRESSED, Reach.LEFT)},
        counted_at=counted_at,
    )
