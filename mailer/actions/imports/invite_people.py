"""Queue a letter to each of some people that asks whether they want to be on the list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from mailer.actions.imports.decide_people import DecidedPerson
from mailer.app import App
from mailer.domain.consent import Channel, ConsentAct, Evidence
from mailer.domain.delivery import Kind, Notice
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import Subscription
from mailer.store import consents, subscriptions
from mailer.store.queue import deliveries
from mailer.store.subscription_requests import mark_asked


def invite_people(
    tx: Connection,
    app: App,
    mailing_list: MailingList,
    people: Sequence[DecidedPerson],
    ids: Mapping[str, int],
    evidence: Mapping[str, Any],
) -> None:
    """Ask these people, who are pending on the list, by letter; `ids` are those of the subscribers by address key."""
    now = app.clock()
    numbers = [ids[one.staged.row.address.key] for one in people]
    for one, number in zip(people, numbers, strict=True):
        subscription = subscriptions.find_or_add_pending(tx, mailing_list.id, number, now)
        mark_asked(tx, subscription, name=one.staged.row.name, language=one.staged.row.language, now=now)
        deliveries.add_notice(tx, _invitation(app, mailing_list, subscription), now)
    line = Evidence(Channel.IMPORT, dict(evidence))
    consents.record_many(tx, mailing_list.id, numbers, ConsentAct.INVITED, line, now)


def _invitation(app: App, mailing_list: MailingList, subscription: Subscription) -> Notice:
    return Notice(
        kind=Kind.CONFIRM,
        address=subscription.address,
        suppression_key=subscription.suppression_key,
        language=app.language(subscription.language, mailing_list.language),
        mailing_list_id=mailing_list.id,
        subscription_id=subscription.id,
        values={"invited": True},
    )
