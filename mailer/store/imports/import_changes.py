"""What a numbered import changed: of each person what stood before, and a fingerprint of what stood after."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, delete, select

from mailer.domain.subscription import SubscriptionState
from mailer.importers.person_row import parse_timestamp
from mailer.store.imports.import_tables import import_change, import_run
from mailer.store.inserts import insert_into, insert_many
from mailer.store.people_tables import subscriber, subscription


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonValues:
    """What an import may change of a person: the details, and the subscription to the import's list."""

    name: str | None
    language: str | None
    zone: str | None
    state: SubscriptionState | None
    """None where there is no subscription to this list."""
    attributes: dict[str, Any]
    delivery_mode: str | None
    changed_at: datetime | None

    def fingerprint(self, address_key: str) -> int:
        """A number of 63 bits that differs where anything but `changed_at` does."""
        return fingerprint(
            address_key, self.name, self.language, self.zone, self.state, self.attributes, self.delivery_mode
        )


def fingerprint(
    address_key: str,
    name: str | None,
    language: str | None,
    zone: str | None,
    state: SubscriptionState | None,
    attributes: Mapping[str, Any],
    delivery_mode: str | None,
) -> int:
    """A number of 63 bits for these values, by which is found whether something else stands later."""
    subscribed = (str(state), str(delivery_mode), sorted(attributes.items()))
    values = repr((address_key, name, language, zone, subscribed))
    return int.from_bytes(blake2b(values.encode("utf-8", "surrogatepass"), digest_size=8).digest()) >> 1


@dataclass(frozen=True, slots=True)
class ImportChange:
    """What an import did to one person; `before` is None for a person who was not known at all."""

    subscriber_id: int
    before: PersonValues | None
    fingerprint: int
    """Of what stands right after."""


def load_values(
    tx: Connection, mailing_list_id: int, subscriber_ids: Collection[int]
) -> dict[int, tuple[str, PersonValues]]:
    """The address keys of these people and what stands of them now, by subscriber; without those not known here."""
    columns = (subscriber.c.id, subscriber.c.address_key, subscriber.c.name, subscriber.c.language, subscriber.c.zone)
    of_list = (subscription.c.subscriber_id == subscriber.c.id) & (subscription.c.mailing_list_id == mailing_list_id)
    theirs = (subscription.c.state, subscription.c.attributes, subscription.c.delivery_mode, subscription.c.changed_at)
    query = select(*columns, *theirs).join_from(subscriber, subscription, of_list, isouter=True)
    return {
        row.id: (
            row.address_key,
            PersonValues(
                name=row.name,
                language=row.language,
                zone=row.zone,
                state=SubscriptionState(row.state) if row.state else None,
                attributes=row.attributes or {},
                delivery_mode=row.delivery_mode,
                changed_at=row.changed_at,
            ),
        )
        for row in tx.execute(query.where(subscriber.c.id.in_(subscriber_ids)))
    }


def record_changes(tx: Connection, run_id: int, changes: Iterable[ImportChange]) -> None:
    """Record what the import of this number did to people, in the transaction that does it.

    Of a person whom it changes twice, what stood before the first time is kept. The import's consent lines have its
    number as IMPORT_NUMBER, its suppressions as `import_run_id`.
    """
    rows = [
        {
            "run_id": run_id,
            "subscriber_id": one.subscriber_id,
            "before": _to_json(one.before) if one.before else None,
            "after": one.fingerprint,
        }
        for one in changes
    ]
    statement = insert_into(tx, import_change)
    again = statement.on_conflict_do_update(
        index_elements=["run_id", "subscriber_id"], set_={"after": statement.excluded.after}
    )
    insert_many(tx, again, rows)


def list_changes(tx: Connection, run_id: int, after: int, limit: int) -> list[ImportChange]:
    """The next `limit` changes of an import after a subscriber, by subscriber."""
    these = (import_change.c.run_id == run_id, import_change.c.subscriber_id > after)
    found = select(import_change).where(*these).order_by(import_change.c.subscriber_id)
    return [
        ImportChange(row.subscriber_id, _from_json(row.before) if row.before else None, row.after)
        for row in tx.execute(found.limit(limit))
    ]


def forget_changes(tx: Connection, run_id: int, subscriber_ids: Collection[int]) -> None:
    """Delete the records of what an import did to these people."""
    these = import_change.c.subscriber_id.in_(subscriber_ids)
    tx.execute(delete(import_change).where(import_change.c.run_id == run_id, these))


def forget_people(tx: Connection, subscriber_ids: Collection[int]) -> None:
    """Delete what all imports have recorded of these people, who are erased."""
    runs = list(tx.execute(select(import_run.c.id)).scalars())
    these = (import_change.c.run_id.in_(runs), import_change.c.subscriber_id.in_(subscriber_ids))
    tx.execute(delete(import_change).where(*these))


def _to_json(values: PersonValues) -> dict[str, Any]:
    return {
        "name": values.name,
        "language": values.language,
        "zone": values.zone,
        "state": values.state,
        "attributes": values.attributes,
        "delivery_mode": values.delivery_mode,
        "changed_at": values.changed_at.isoformat() if values.changed_at else None,
    }


def _from_json(values: dict[str, Any]) -> PersonValues:
    changed_at = parse_timestamp(values["changed_at"]) if values["changed_at"] else None
    state = SubscriptionState(values["state"]) if values["state"] else None
    return PersonValues(**{**values, "state": state, "changed_at": changed_at})
