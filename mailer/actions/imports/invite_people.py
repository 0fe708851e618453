"""Queue a letter to each of some people that asks whether they want to be on the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.consent import ConsentAct, Evidence
from mailer.domain.delivery import Kind, Notice
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import Subscription
from mailer.store import consents, subscriptions
from mailer.store.queue import deliveries
from mailer.store.subscription_requests import mark_asked


@dataclass(frozen=True, slots=True)
class InvitedPerson:
    """Who is asked, and what an export says of them."""

    subscriber_id: int
    name: str | None = None
    language: str | None = None


def invite_people(
    tx: Connection,
    app: App,
    mailing_list: MailingList,
    people: Sequence[InvitedPerson],
    evidence: Evidence,
) -> None:
    """Ask these people, who are pending on the list, by letter."""
    now = app.clock()
    for one in people:
        subscription = subscriptions.find_or_add_pending(tx, mailing_list.id, one.subscriber_id, now)
        mark_asked(tx, subscription, name=one.name, language=one.language, now=now)
        deliveries.add_notice(tx, _invitation(app, mailing_list, subscription), now)
    numbers = [one.subscriber_id for one in people]
    consents.record_many(tx, mailing_list.id, numbers, ConsentAct.INVITED, evidence, now)


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
