"""Claims: deliveries that a worker has taken for a while, listed in one row.

The list says what was taken, not what is held now: deliveries that were released or deferred since stay in it. Who
holds a claimed delivery is in its own row, which names the claim under which it was taken again; a row that names no
claim was taken once, in the order of the campaign, and only one claim lists it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Dialect,
    Select,
    Update,
    bindparam,
    delete,
    insert,
    select,
    text,
    update,
)

from mailer.domain.delivery import NOTICES, Delivery, DeliveryState, Kind
from mailer.domain.letters.edition_choice import choose_edition
from mailer.store import revisions
from mailer.store.bulk_rows import (
    CompiledStatement,
    as_json,
    decode_rows,
    fetch_rows,
    parse_instant,
    rows_from_json,
    rows_to_json,
)
from mailer.store.database import is_sqlite
from mailer.store.people_tables import mailing_list, subscriber, subscription
from mailer.store.queue.queue_tables import campaign, claim, delivery

_CLAIM_LOCK_CLASS = 0x7475726E
"""The first half of the advisory locks' keys for claiming in order; the second half is the campaign's id."""


def claim_deliveries(tx: Connection, campaign_id: int, worker_id: int, limit: int, now: datetime) -> list[Delivery]:
    """Claim up to `limit` deliveries of a campaign (NOTICES: of the notices): due ones first, then in order.

    Concurrent workers never claim the same delivery.
    """
    locked = lock_waiting(tx, campaign_id, limit, now)
    claimed: list[Delivery] = []
    if locked.ids:
        statement = insert(claim).values(campaign_id=campaign_id, worker_id=worker_id, deliveries=locked.ids)
        claim_id = tx.execute(statement.returning(claim.c.id)).scalar_one()
        if locked.due:
            _RECLAIM.run(tx, ids=rows_to_json(tx.dialect, ((number,) for number in locked.due)), claim_id=claim_id)
        claimed = load_deliveries(tx, campaign_id, claim_id, locked.ids)
    advance_cursor(tx, campaign_id, locked)
    return claimed


@dataclass(frozen=True, slots=True)
class LockedDeliveries:
    """Waiting deliveries that were found and locked, and where to move the campaign's cursor."""

    due: list[int]
    """Those with a due time, as all have that were claimed before."""
    in_turn: list[int] = field(default_factory=list)
    cursor: int | None = None
    """The subscription up to which none waits in order any more; None where the cursor stays."""

    @property
    def ids(self) -> list[int]:
        return [*self.due, *self.in_turn]


def lock_waiting(tx: Connection, campaign_id: int, limit: int, now: datetime | None) -> LockedDeliveries:
    """Find and lock waiting deliveries: those due by `now` (None: all with a due time), then the next in order.

    The caller records what they are for, clears the due time of those that have one, and calls `advance_cursor` last.
    """
    due = select(delivery.c.id).where(delivery.c.campaign_id == campaign_id, delivery.c.due_at.is_not(None))
    if now is not None:
        due = due.where(delivery.c.due_at <= now)
    due = due.order_by(delivery.c.due_at, delivery.c.id).limit(limit).with_for_update(skip_locked=True)
    ids = [number for (number,) in fetch_rows(tx, due)]
    if campaign_id == NOTICES or len(ids) >= limit:
        return LockedDeliveries(ids)
    in_turn, cursor = _next_in_turn(tx, campaign_id, limit - len(ids))
    return LockedDeliveries(ids, in_turn, cursor)


def advance_cursor(tx: Connection, campaign_id: int, locked: LockedDeliveries) -> None:
    """Move the campaign's cursor. Do it last: until the commit it blocks every gate of this campaign."""
    if locked.cursor is not None:
        tx.execute(update(campaign).where(campaign.c.id == campaign_id).values(claim_cursor=locked.cursor))


def _next_in_turn(tx: Connection, campaign_id: int, limit: int) -> tuple[list[int], int | None]:
    if not is_sqlite(tx):
        # Serialises claims of one campaign. Locking its row would block all gates, too.
        tx.execute(
            text("SELECT pg_advisory_xact_lock(:class, :id)"), {"class": _CLAIM_LOCK_CLASS, "id": campaign_id % 2**31}
        )
    cursors = select(campaign.c.claim_cursor, campaign.c.launch_cursor).where(campaign.c.id == campaign_id)
    one = tx.execute(cursors).one()
    if one.claim_cursor >= one.launch_cursor:
        return [], None
    query = (
        select(delivery.c.id, delivery.c.subscription_id)
        .where(
            delivery.c.campaign_id == campaign_id,
            delivery.c.campaign_id != NOTICES,
            delivery.c.subscription_id > one.claim_cursor,
            delivery.c.subscription_id <= one.launch_cursor,
            delivery.c.state == DeliveryState.QUEUED,
            delivery.c.due_at.is_(None),
        )
        .order_by(delivery.c.subscription_id)
        .limit(limit)
    )
    found = fetch_rows(tx, query)
    return [number for number, _ in found], found[-1][1] if len(found) == limit else one.launch_cursor


def load_deliveries(tx: Connection, campaign_id: int, claim_id: int, ids: Sequence[int]) -> list[Delivery]:
    """The deliveries of a claim (0: of none), with what their letters need; in the order of `ids`."""
    found = decode_rows(_LOAD.run(tx, ids=rows_to_json(tx.dialect, ((number,) for number in ids))))
    if campaign_id == NOTICES:
        rows = [_notice_from_row(row, claim_id) for row in found]
    else:
        with_list = select(campaign, mailing_list.c.language.label("list_language")).join_from(campaign, mailing_list)
        campaign_row = tx.execute(with_list.where(campaign.c.id == campaign_id)).one()
        revision_of = _RevisionChoice(tx, campaign_row)
        rows = [_campaign_delivery_from_row(row, claim_id, campaign_row, revision_of) for row in found]
    by_id = {one.id: one for one in rows}
    return [by_id[number] for number in ids]


def _load_query(dialect: Dialect) -> Select[Any]:
    wanted_ids = rows_from_json(dialect, "ids", {"id": BigInteger()})
    own = ("kind", "mailing_list_id", "subscription_id", "revision_id", "address", "suppression_key", "language")
    kept = ("values", "attempts", "resends", "queued_at", "dated_at")
    of_reader = (subscriber.c.address, subscriber.c.suppression_key, subscriber.c.name, subscriber.c.language)
    columns = [delivery.c[name] for name in ("id", *own, *kept)]
    readers = [one.label(f"reader_{one.name}") for one in (*of_reader, subscription.c.attributes)]
    found = (
        select(*columns, *readers)
        .join_from(wanted_ids, delivery, delivery.c.id == wanted_ids.c.id)
        .outerjoin(subscriber, subscriber.c.id == delivery.c.subscriber_id)
        .outerjoin(subscription, subscription.c.id == delivery.c.subscription_id)
    )
    return as_json(dialect, found)


def _notice_from_row(row: list[Any], claim_id: int) -> Delivery:
    (number, kind, list_id, subscription_id, revision_id, address, key, language, values, attempts, resends, queued,
     dated) = row[:13]  # fmt: skip
    return Delivery(
        id=number, campaign_id=NOTICES, kind=Kind(kind), mailing_list_id=list_id, subscription_id=subscription_id,
        revision_id=revision_id, address=address, suppression_key=key, name=None, language=language,
        values=values or {}, attempts=attempts, resends=resends, queued_at=_required_instant(queued),
        dated_at=parse_instant(dated), claim_id=claim_id,
    )  # fmt: skip


def _campaign_delivery_from_row(
    row: list[Any], claim_id: int, campaign_row: Any, revision_of: _RevisionChoice
) -> Delivery:
    (number, _, list_id, subscription_id, revision_id, _, _, language, values, attempts, resends, queued, dated) = row[
        :13
    ]
    address, key, name, own_language, attributes = row[13:]
    repeat = dated is not None
    if repeat:
        # Handed before with an unknown outcome: the same octets again, from what was kept.
        name, own_language, attributes = (values or {}).get("name"), language, values or {}
    return Delivery(
        id=number, campaign_id=campaign_row.id, kind=Kind.CAMPAIGN, mailing_list_id=list_id,
        subscription_id=subscription_id, address=address, suppression_key=key,
        revision_id=revision_id if repeat else revision_of[own_language],
        name=name, language=own_language, values=attributes, attempts=attempts, resends=resends,
        queued_at=parse_instant(queued) or campaign_row.launched_at, dated_at=parse_instant(dated), claim_id=claim_id,
        corrections=None if repeat else campaign_row.corrections, resend=campaign_row.when_uncertain == "resend",
    )  # fmt: skip


class _RevisionChoice(dict[str | None, int]):
    """The newest revision of the edition that a reader of a language gets; each language is chosen for once."""

    def __init__(self, tx: Connection, campaign_row: Any) -> None:
        super().__init__()
        self._newest = revisions.newest_by_language(tx, campaign_row.id)
        self._list_language, self._sent = campaign_row.list_language, campaign_row.languages
        # What is sent alone is chosen among all editions, also those that have no revision yet.
        self._editions = (
            list(self._newest) if self._sent is None else list(revisions.editions_by_language(tx, campaign_row.id))
        )

    def __missing__(self, language: str | None) -> int:
        chosen = choose_edition(language, self._editions, self._list_language, self._sent)
        self[language] = self._newest[chosen.language]
        return self[language]


def _required_instant(text: str) -> datetime:
    read = parse_instant(text)
    if read is None:
        raise ValueError("a notice has no queued_at")
    return read


def _reclaim_statement(dialect: Dialect) -> Update:
    one = rows_from_json(dialect, "ids", {"id": BigInteger()})
    taken = {"due_at": None, "claim_id": bindparam("claim_id", type_=BigInteger())}
    return update(delivery).where(delivery.c.id == one.c.id).values(taken)


def delete_claims(tx: Connection, claim_ids: Iterable[int]) -> None:
    """Delete claims none of whose deliveries is open."""
    if ids := list(claim_ids):
        tx.execute(delete(claim).where(claim.c.id.in_(ids)))


_LOAD, _RECLAIM = CompiledStatement(_load_query), CompiledStatement(_reclaim_statement)
