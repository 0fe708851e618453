"""All rows about one person, as an export of their data has them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, Table, select

from mailer.domain.suppression import EVERY_LIST
from mailer.store.imports.import_tables import import_change, import_run
from mailer.store.people_tables import consent, mailing_list, returned, subscriber, subscription, suppression

_SUBSCRIBER = ("address", "name", "language", "zone", "created_at")
_SUBSCRIPTION = (
    *("state", "attributes", "delivery_mode", "created_at", "changed_at", "asked_at"),
    *("requested_name", "requested_language"),
)
_RETURNED = ("at", "campaign_id", "letter", "kind", "weight", "reason", "status", "complaint", "diagnostic", "way")
_CONSENT = ("at", "act", "way", "evidence")

PersonRows = list[dict[str, Any]]
"""Rows of columns; times in ISO 8601, what is not known left out."""


def load_person(tx: Connection, subscriber_id: int, list_ids: Collection[int] | None) -> dict[str, PersonRows]:
    """What these lists (None: all) have of a person: person, subscriptions, consents, returned, imports."""
    of_subscription = _of_lists(subscription, _SUBSCRIPTION, subscriber_id, list_ids)
    of_consents = _of_lists(consent, _CONSENT, subscriber_id, list_ids).order_by(consent.c.at, consent.c.id)
    of_returned = select(*_columns(returned, _RETURNED)).where(returned.c.subscriber_id == subscriber_id)
    if list_ids is not None:
        of_returned = of_returned.where(returned.c.mailing_list_id.in_(list_ids))
    person = select(*_columns(subscriber, _SUBSCRIBER)).where(subscriber.c.id == subscriber_id)
    return {
        "person": _rows(tx, person),
        "subscriptions": _rows(tx, of_subscription.order_by(subscription.c.id)),
        "consents": _rows(tx, of_consents),
        "returned": _rows(tx, of_returned.order_by(returned.c.id)),
        "imports": _rows(tx, _imports(subscriber_id, list_ids)),
    }


def load_suppressions(tx: Connection, keys: Collection[str], list_ids: Collection[int] | None) -> PersonRows:
    """The suppressions under these keys for these lists (None: all lists) and for every list."""
    columns = (mailing_list.c.name.label("list"), suppression.c.reason, suppression.c.created_at, suppression.c.until)
    query = select(*columns).outerjoin_from(
        suppression, mailing_list, mailing_list.c.id == suppression.c.mailing_list_id
    )
    query = query.where(suppression.c.suppression_key.in_(keys))
    if list_ids is not None:
        query = query.where(suppression.c.mailing_list_id.in_((EVERY_LIST, *list_ids)))
    return _rows(tx, query.order_by(suppression.c.mailing_list_id, suppression.c.reason))


def _of_lists(
    table: Table, names: Collection[str], subscriber_id: int, list_ids: Collection[int] | None
) -> Select[Any]:
    query = select(mailing_list.c.name.label("list"), *_columns(table, names)).join_from(table, mailing_list)
    query = query.where(table.c.subscriber_id == subscriber_id)
    return query if list_ids is None else query.where(table.c.mailing_list_id.in_(list_ids))


def _imports(subscriber_id: int, list_ids: Collection[int] | None) -> Select[Any]:
    columns = (import_run.c.id.label("number"), import_run.c.source, import_run.c.file_name, import_run.c.started_at)
    query = (
        select(mailing_list.c.name.label("list"), *columns)
        .join_from(import_run, import_change, import_change.c.run_id == import_run.c.id)
        .join(mailing_list, mailing_list.c.id == import_run.c.mailing_list_id)
        .where(import_change.c.subscriber_id == subscriber_id)
    )
    if list_ids is not None:
        query = query.where(import_run.c.mailing_list_id.in_(list_ids))
    return query.order_by(import_run.c.id)


def _columns(table: Table, names: Collection[str]) -> list[Any]:
    return [table.c[name] for name in names]


def _rows(tx: Connection, query: Select[Any]) -> PersonRows:
    return [_row(dict(row._mapping)) for row in tx.execute(query)]


def _row(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
        if value not in (None, "", {})
    }
