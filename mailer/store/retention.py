"""What is deleted for good: expired requests, erased people, old evidence, processed mail.

The newest row of a table stays until there is a newer one: SQLite would give its id to the next row, and a token in an
old letter, or the cause of a notice, would then mean somebody else.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import takewhile

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)

from mailer.domain.consent import IDENTIFYING_KEYS
from mailer.domain.delivery import NOTICES, WAITING, DeliveryState, forwarding_cause
from mailer.domain.subscription import SubscriptionState
from mailer.store import consents
from mailer.store.imports.import_changes import forget_people
from mailer.store.imports.source_tokens import delete_tokens
from mailer.store.incoming_mails import IncomingState
from mailer.store.people_tables import consent, incoming, returned, subscriber, subscription
from mailer.store.queue import unrendered_notices
from mailer.store.queue.queue_tables import delivery

_ERASED = ""
"""The mailbox_key of an erased subscriber."""
_WAS_ASKED = or_(subscription.c.asked_at.is_not(None), subscription.c.held_at.is_not(None))
"""Whether a pending subscription is a request: its letter was queued, or waits for a limit."""
_FINISHED_STATES = (IncomingState.DONE, IncomingState.FORWARDED, IncomingState.KEPT)
"""Mail that nothing is needed of a week later."""


def erase_subscribers(tx: Connection, subscriber_ids: Iterable[int]) -> None:
    """Erase who these people are, and their attributes and consents; the suppression key, a hash, stays."""
    numbers = list(subscriber_ids)
    key = literal("erased ").concat(cast(subscriber.c.id, Text))
    blank = {"address": "", "address_key": key, "mailbox_key": _ERASED, "name": None, "language": None, "zone": None}
    tx.execute(update(subscriber).where(subscriber.c.id.in_(numbers)).values(**blank))
    tx.execute(update(subscription).where(subscription.c.subscriber_id.in_(numbers)).values(attributes={}))
    tx.execute(delete(consent).where(consent.c.subscriber_id.in_(numbers)))
    delete_tokens(tx, numbers)
    forget_people(tx, numbers)
    _erase_from_bounces(tx, numbers)


def list_erased(tx: Connection, limit: int) -> dict[int, str]:
    """Up to `limit` erased people, id -> suppression key."""
    found = select(subscriber.c.id, subscriber.c.suppression_key).where(subscriber.c.mailbox_key == _ERASED)
    return {number: key for number, key in tx.execute(found.order_by(subscriber.c.id).limit(limit))}


def list_notices_to(tx: Connection, suppression_keys: Iterable[str]) -> list[int]:
    """The notices to these people that still have an address. No index serves this: use it rarely."""
    found = select(delivery.c.id).where(
        delivery.c.campaign_id == NOTICES,
        delivery.c.suppression_key.in_(list(suppression_keys)),
        delivery.c.address != "",
        delivery.c.state != DeliveryState.HANDED,
    )
    return list(tx.execute(found).scalars())


def erase_notice_recipients(tx: Connection, delivery_ids: Iterable[int]) -> None:
    """Erase the addresses of these notices; those that still wait are suppressed."""
    these = delivery.c.id.in_(list(delivery_ids))
    tx.execute(
        update(delivery).where(these, delivery.c.state.in_(WAITING)).values(state=DeliveryState.SUPPRESSED, due_at=None)
    )
    tx.execute(update(delivery).where(these, delivery.c.state != DeliveryState.HANDED).values(address="", values={}))


def delete_subscribers(tx: Connection, subscriber_ids: Iterable[int]) -> int:
    """Delete these people and their subscriptions, where nothing else refers to them; returns how many."""
    numbers = list(subscriber_ids)
    tx.execute(
        delete(subscription).where(
            subscription.c.subscriber_id.in_(numbers),
            subscription.c.state != SubscriptionState.CONFIRMED,
            _is_not_newest(subscription),
        )
    )
    return delete_unreferenced(tx, numbers)


def list_expired_requests(
    tx: Connection, mailing_list_id: int, after: int, before: datetime, limit: int
) -> tuple[int | None, list[int]]:
    """Of a list's next `limit` pending requests after one, those from before then; also the last one looked at.

    People whom an import has as pending, and whom nobody has asked yet, are none of these: they wait for an organiser.
    """
    rows = tx.execute(
        select(subscription.c.id, subscription.c.changed_at < before)
        .where(
            subscription.c.mailing_list_id == mailing_list_id,
            subscription.c.state == SubscriptionState.PENDING,
            _WAS_ASKED,
            subscription.c.id > after,
        )
        .order_by(subscription.c.id)
        .limit(limit)
    ).all()
    return (rows[-1][0] if rows else None), [number for number, old in rows if old]


def delete_expired_requests(
    tx: Connection, mailing_list_id: int, subscription_ids: Iterable[int], before: datetime
) -> int:
    """Delete a list's requests that are still pending, their consent lines, and people not known otherwise.

    Of people who were once on the list only the request ends. Returns how many ended.
    """
    found = tx.execute(
        select(subscription.c.id, subscription.c.subscriber_id)
        .where(
            subscription.c.mailing_list_id == mailing_list_id,
            subscription.c.id.in_(list(subscription_ids)),
            subscription.c.state == SubscriptionState.PENDING,
            _WAS_ASKED,
            subscription.c.changed_at < before,
        )
        .with_for_update()
    ).all()
    agreed = consents.find_agreed(tx, [one.subscriber_id for one in found], mailing_list_id)
    back = [one.id for one in found if one.subscriber_id in agreed]
    none_left = {"asked_at": None, "held_at": None, "requested_name": None, "requested_language": None}
    tx.execute(
        update(subscription)
        .where(subscription.c.id.in_(back))
        .values(state=SubscriptionState.UNSUBSCRIBED, asked_again=False, **none_left)
    )
    newest = tx.execute(select(func.max(subscription.c.id))).scalar_one()
    gone = [one for one in found if one.subscriber_id not in agreed and one.id != newest]
    people = [one.subscriber_id for one in gone]
    of_list = consent.c.mailing_list_id == mailing_list_id
    tx.execute(delete(consent).where(consent.c.subscriber_id.in_(people), of_list))
    tx.execute(delete(subscription).where(subscription.c.id.in_([one.id for one in gone])))
    delete_unreferenced(tx, people)
    return len(back) + len(gone)


def delete_unreferenced(tx: Connection, subscriber_ids: list[int]) -> int:
    """Delete those of these people who have no subscription and no line in the consent record; returns how many."""
    # PostgreSQL: waits for others that are adding a subscription of theirs, so that the next statement sees it.
    tx.execute(select(subscriber.c.id).where(subscriber.c.id.in_(subscriber_ids)).with_for_update())
    gone = tx.execute(
        delete(subscriber)
        .where(
            subscriber.c.id.in_(subscriber_ids),
            ~exists().where(subscription.c.subscriber_id == subscriber.c.id),
            ~exists().where(consent.c.subscriber_id == subscriber.c.id),
        )
        .returning(subscriber.c.id)
    )
    removed = list(gone.scalars())
    delete_tokens(tx, removed)
    forget_people(tx, removed)
    _erase_from_bounces(tx, removed)
    return len(removed)


def _erase_from_bounces(tx: Connection, subscriber_ids: list[int]) -> None:
    """Keep bounces and complaints of these people as counts, without saying whose they were."""
    erased = {"diagnostic": "", "subscriber_id": None, "subscription_id": None}
    tx.execute(update(returned).where(returned.c.subscriber_id.in_(subscriber_ids)).values(**erased))


def erase_old_evidence(tx: Connection, after: int, before: datetime, limit: int) -> int:
    """Erase who it was from the next `limit` consent lines after one, up to a time; returns the last line looked at."""
    lines = tx.execute(
        select(consent.c.id, consent.c.evidence, consent.c.at)
        .where(consent.c.id > after)
        .order_by(consent.c.id)
        .limit(limit)
    ).all()
    old = list(takewhile(lambda line: line.at < before, lines))
    changed = [
        {"line": number, "kept": {name: value for name, value in evidence.items() if name not in IDENTIFYING_KEYS}}
        for number, evidence, _ in old
        if IDENTIFYING_KEYS & evidence.keys()
    ]
    if changed:
        cleared = bindparam("kept", type_=consent.c.evidence.type)
        tx.execute(update(consent).where(consent.c.id == bindparam("line")).values(evidence=cleared), changed)
    return old[-1].id if old else after


def last_consent_id(tx: Connection) -> int:
    """The highest id in the consent record; 0 where it is empty."""
    return tx.execute(select(func.max(consent.c.id))).scalar_one() or 0


def list_deletable_mails(tx: Connection, before: datetime, after: int, limit: int) -> tuple[int | None, list[int]]:
    """Of the next `limit` mails after one that were processed before then, those not needed; also the last of all.

    A mail that a letter still to be rendered contains is kept for that letter.
    """
    found = select(incoming.c.id, incoming.c.recipients).where(
        incoming.c.id > after,
        incoming.c.state.in_(_FINISHED_STATES),
        incoming.c.acted_at < before,
        _is_not_newest(incoming),
    )
    rows = tx.execute(found.order_by(incoming.c.id).limit(limit)).all()
    causes = {forwarding_cause(row.id, recipient): row.id for row in rows for recipient in row.recipients}
    needed = {causes[cause] for cause in unrendered_notices.open_causes(tx, list(causes))}
    return (rows[-1].id if rows else None), [row.id for row in rows if row.id not in needed]


def delete_mails(tx: Connection, incoming_ids: Iterable[int]) -> None:
    """Delete these mails; another delivery of one of them would not be recognised any more."""
    tx.execute(delete(incoming).where(incoming.c.id.in_(list(incoming_ids)), incoming.c.state.in_(_FINISHED_STATES)))


def _is_not_newest(table: Table) -> ColumnElement[bool]:
    return table.c.id < select(func.max(table.alias().c.id)).scalar_subquery()
