"""By what other software knew its readers in links, so that old letters' links unsubscribe them here."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, select

from mailer.domain.imports.legacy_list import token_digest
from mailer.store.imports.import_tables import source_token
from mailer.store.inserts import insert_into
from mailer.store.people_tables import subscription


def add_tokens(tx: Connection, mailing_list_id: int, tokens: Iterable[tuple[str, int]]) -> None:
    """Remember the tokens of these people, each with the subscriber's id, for their subscription to the list."""
    rows = [
        {"digest": token_digest(token), "mailing_list_id": mailing_list_id, "subscriber_id": subscriber_id}
        for token, subscriber_id in tokens
    ]
    if rows:
        tx.execute(insert_into(tx, source_token).on_conflict_do_nothing(), rows)


def find_subscription_ids(tx: Connection, token: str) -> list[int]:
    """The subscriptions of the person whom this token names, one for each list that was imported with it."""
    found = (
        select(subscription.c.id)
        .join_from(
            source_token,
            subscription,
            (subscription.c.mailing_list_id == source_token.c.mailing_list_id)
            & (subscription.c.subscriber_id == source_token.c.subscriber_id),
        )
        .where(source_token.c.digest == token_digest(token))
    )
    return list(tx.execute(found.order_by(subscription.c.id)).scalars())


def delete_tokens(tx: Connection, subscriber_ids: Iterable[int]) -> None:
    """Forget the tokens of these people."""
    tx.execute(delete(source_token).where(source_token.c.subscriber_id.in_(list(subscriber_ids))))
