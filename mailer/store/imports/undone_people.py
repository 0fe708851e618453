"""Takes back what an import did to people."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, exists, select, update

from mailer.domain.consent import IMPORT_NUMBER
from mailer.domain.delivery import NOTICES
from mailer.domain.imports.import_run import ImportRunView
from mailer.domain.suppression import EVERY_LIST
from mailer.store import retention
from mailer.store.imports.import_changes import ImportChange, PersonValues
from mailer.store.imports.import_tables import import_change
from mailer.store.imports.touched_people import find_active, recent_campaigns
from mailer.store.people_tables import consent, subscriber, subscription, suppression
from mailer.store.queue.queue_tables import delivery


def lock_people(tx: Connection, subscriber_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """The address and mailbox keys of those of these people who are known, by subscriber.

    On PostgreSQL, others who would change what is known of them wait.
    """
    columns = (subscriber.c.id, subscriber.c.address_key, subscriber.c.mailbox_key)
    people = select(*columns).where(subscriber.c.id.in_(subscriber_ids)).order_by(subscriber.c.id)
    found = {row.id: (row.address_key, row.mailbox_key) for row in tx.execute(people.with_for_update())}
    theirs = select(subscription.c.id).where(subscription.c.subscriber_id.in_(subscriber_ids))
    tx.execute(theirs.order_by(subscription.c.id).with_for_update())
    return found


def suppresses_everywhere(tx: Connection, run: ImportRunView) -> bool:
    """Whether there are suppressions for every list that the import alone caused."""
    of_all = select(suppression.c.suppression_key).where(_is_own(run), suppression.c.mailing_list_id == EVERY_LIST)
    return tx.execute(of_all.limit(1)).first() is not None


def restore_people(
    tx: Connection, run: ImportRunView, changes: Sequence[ImportChange], suppression_keys: Collection[str]
) -> None:
    """Give these people back what stood before the import, and remove those whom it brought new.

    With them go its consent lines, and the suppressions of these keys that it alone caused.
    """
    ids = [one.subscriber_id for one in changes]
    tx.execute(delete(suppression).where(_is_own(run), suppression.c.suppression_key.in_(suppression_keys)))
    before = {one.subscriber_id: one.before for one in changes if one.before is not None}
    for number, values in before.items():
        _restore_values(tx, run, number, values)
    new = [number for number in ids if number not in before]
    _delete_lines(tx, run, before)
    # They have further lines only from before, if the import brought the record of another service along.
    of_list = consent.c.mailing_list_id == run.mailing_list_id
    tx.execute(delete(consent).where(consent.c.subscriber_id.in_(new), of_list))
    gone = [number for number in ids if number not in before or before[number].state is None]
    _delete_subscriptions(tx, run, gone)
    retention.delete_unreferenced(tx, new)


def release_suppressions(tx: Connection, run: ImportRunView, suppression_keys: Collection[str]) -> None:
    """Let the import's suppressions of these keys stand, whatever becomes of the import."""
    these = (_is_own(run), suppression.c.suppression_key.in_(suppression_keys))
    tx.execute(update(suppression).where(*these).values(import_run_id=None))


def lift_remaining(tx: Connection, run: ImportRunView, after: str, limit: int) -> tuple[str | None, int, int]:
    """Lift the import's suppressions of the next `limit` people after a key, who are not among its changes.

    Who is a subscriber by now and acted since keeps them. Returns the last key looked at, or None at the end, and how
    many people had theirs lifted, and kept.
    """
    keys = list_remaining(tx, run, after, limit)
    kept = find_active_keys(tx, run, keys)
    release_suppressions(tx, run, kept)
    lifted = [key for key in keys if key not in kept]
    tx.execute(delete(suppression).where(_is_own(run), suppression.c.suppression_key.in_(lifted)))
    return (keys[-1] if keys else None), len(lifted), len(kept)


def list_remaining(tx: Connection, run: ImportRunView, after: str, limit: int) -> list[str]:
    """The next `limit` keys, after one, of suppressions that the import alone caused, of people not changed by it."""
    is_changed = exists().where(
        subscriber.c.suppression_key == suppression.c.suppression_key,
        import_change.c.run_id == run.number,
        import_change.c.subscriber_id == subscriber.c.id,
    )
    found = select(suppression.c.suppression_key).where(
        _is_own(run), suppression.c.suppression_key > after, ~is_changed
    )
    return list(tx.execute(found.distinct().order_by(suppression.c.suppression_key).limit(limit)).scalars())


def find_active_keys(tx: Connection, run: ImportRunView, suppression_keys: Collection[str]) -> set[str]:
    """Those of these keys whose people are known by now, and acted or bounced since the import began."""
    people = select(subscriber.c.id, subscriber.c.suppression_key)
    by_id = {
        row.id: row.suppression_key
        for row in tx.execute(people.where(subscriber.c.suppression_key.in_(suppression_keys)))
    }
    return {by_id[number] for number in find_active(tx, run, by_id)}


def _is_own(run: ImportRunView) -> Any:
    return suppression.c.import_run_id == run.number


def _delete_lines(tx: Connection, run: ImportRunView, subscriber_ids: Collection[int]) -> None:
    lines = select(consent.c.id, consent.c.evidence).where(
        consent.c.subscriber_id.in_(subscriber_ids), consent.c.mailing_list_id == run.mailing_list_id
    )
    own = [row.id for row in tx.execute(lines) if row.evidence.get(IMPORT_NUMBER) == run.number]
    tx.execute(delete(consent).where(consent.c.id.in_(own)))


def _restore_values(tx: Connection, run: ImportRunView, subscriber_id: int, before: PersonValues) -> None:
    details = {"name": before.name, "language": before.language, "zone": before.zone}
    tx.execute(update(subscriber).where(subscriber.c.id == subscriber_id).values(details))
    if before.state is None:
        return
    values: Mapping[str, Any] = {
        "state": before.state,
        "attributes": before.attributes,
        "delivery_mode": before.delivery_mode,
        "changed_at": before.changed_at,
    }
    tx.execute(update(subscription).where(*_of_list(run), subscription.c.subscriber_id == subscriber_id).values(values))


def _delete_subscriptions(tx: Connection, run: ImportRunView, subscriber_ids: Collection[int]) -> None:
    """Delete their subscriptions to the list; letters to them that were never sent name nobody any more."""
    theirs = (*_of_list(run), subscription.c.subscriber_id.in_(subscriber_ids))
    numbers = list(tx.execute(select(subscription.c.id).where(*theirs)).scalars())
    letters = (
        delivery.c.campaign_id.in_(recent_campaigns(tx, run)),
        delivery.c.campaign_id != NOTICES,
        delivery.c.subscription_id.in_(numbers),
    )
    tx.execute(update(delivery).where(*letters).values(subscriber_id=None))
    tx.execute(delete(subscription).where(subscription.c.id.in_(numbers)))


def _of_list(run: ImportRunView) -> tuple[Any, ...]:
    return (subscription.c.mailing_list_id == run.mailing_list_id,)
