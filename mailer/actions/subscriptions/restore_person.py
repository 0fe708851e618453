"""Restore a person whose letters bounced, who complained, or is paused or banned, on an organiser's word."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.actions.subscriptions.lift_suppressions import LiftResult, lift_suppressions
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.address import Address, parse_address
from mailer.domain.consent import Channel, ConsentAct, Evidence
from mailer.domain.mailing_list import MailingList
from mailer.domain.person_view import EVERY_LIST_NAME
from mailer.domain.subscription import Subscription, SubscriptionState
from mailer.domain.suppression import EVERY_LIST, LIFTABLE_REASONS, SuppressionReason
from mailer.errors import NotFound
from mailer.store import consents, mailing_lists, subscriptions, suppressions
from mailer.store.accounts import audit_log


@dataclass(frozen=True, slots=True)
class RestoredPerson:
    """What holds after restoring a person."""

    state: SubscriptionState | None
    """None for a person who is not known to the list, and whose suppressions were lifted all the same."""
    lifted: tuple[str, ...]
    """Names of the lists whose suppressions were lifted: the list's, EVERY_LIST_NAME."""
    reasons: tuple[str, ...]
    """Why the person was suppressed until now, as far as that was lifted."""
    undone: int
    """How many bounces do not count any more."""
    why_not: str | None
    """Why the person still gets no letters from the list, as a text; None where they do."""


async def restore_person(app: App, actor: Actor, address: str, *, list_name: str) -> RestoredPerson:
    """Lift a person's suppressions for bounces and complaints, pauses and bans, of this list.

    Those of every list are lifted, too, if the actor manages the site. Earlier bounces do not count any more. A
    subscription that they ended is confirmed again; who unsubscribed stays unsubscribed. Of a person who never was on
    the list, as somebody who is banned from it, only suppressions are lifted. Twice is no error. Raises NotFound where
    nothing is known, NotPermitted and AddressRefused.
    """
    person = parse_address(address)

    def work(tx: Connection) -> RestoredPerson:
        mailing_list = mailing_lists.get_by_name(tx, list_name)
        actor.require(Permission.CHANGE_PEOPLE, mailing_list.id)
        subscription = subscriptions.find(tx, mailing_list.id, person.key)
        if subscription is None:
            return _lift_without_subscription(tx, app, actor, mailing_list, person)
        return _restore_subscriber(tx, app, actor, mailing_list, subscription)

    return await app.database.write(work)


def _restore_subscriber(
    tx: Connection, app: App, actor: Actor, mailing_list: MailingList, subscription: Subscription
) -> RestoredPerson:
    before = suppressions.list_for_person(tx, subscription.suppression_key)
    result = lift_suppressions(tx, app, subscription, *LIFTABLE_REASONS, everywhere=actor.may(Permission.MANAGE_SITE))
    lifted, reasons = _describe_lifted(tx, mailing_list, subscription.suppression_key, before)
    if result:
        details = {"by": actor.name, "lifted": list(lifted), "reasons": list(reasons), "undone": result.undone}
        consents.record(tx, subscription, ConsentAct.RESTORED, Evidence(Channel.COMMAND, details), app.clock())
        _record(tx, app, actor, subscription, result)
    subscription = subscriptions.get(tx, subscription.id)
    return RestoredPerson(subscription.state, lifted, reasons, result.undone, _why_not(tx, subscription))


def _lift_without_subscription(
    tx: Connection, app: App, actor: Actor, mailing_list: MailingList, person: Address
) -> RestoredPerson:
    """Lift what is lifted for subscribers, for somebody without a subscription to the list; they may join then."""
    key = app.site.keyring.suppression_key(person.key)
    before = suppressions.list_for_person(tx, key)
    for list_id in (mailing_list.id, EVERY_LIST) if actor.may(Permission.MANAGE_SITE) else (mailing_list.id,):
        suppressions.lift_suppressions(tx, key, list_id, *LIFTABLE_REASONS)
    lifted, reasons = _describe_lifted(tx, mailing_list, key, before)
    if not lifted:
        raise NotFound(f"{person.addr_spec} was never on {mailing_list.name}")
    audit_log.record(
        tx,
        actor,
        Act.RESTORE_PERSON,
        subject="somebody who is not on the list",
        mailing_list_id=mailing_list.id,
        after={"reasons": list(reasons), "lifted_everywhere": EVERY_LIST_NAME in lifted},
        now=app.clock(),
    )
    return RestoredPerson(None, lifted, reasons, 0, "they are not on the list, and may join it now")


def _describe_lifted(
    tx: Connection, mailing_list: MailingList, suppression_key: str, before: list[tuple[int, SuppressionReason]]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the lists whose suppressions do not stand any more, and their reasons."""
    gone = set(before) - set(suppressions.list_for_person(tx, suppression_key))
    names = {mailing_list.id: mailing_list.name, EVERY_LIST: EVERY_LIST_NAME}
    lists = tuple(name for list_id, name in names.items() if list_id in {place for place, _ in gone})
    return lists, tuple(sorted({reason.value for _, reason in gone}))


def _record(tx: Connection, app: App, actor: Actor, subscription: Subscription, result: LiftResult) -> None:
    audit_log.record(
        tx,
        actor,
        Act.RESTORE_PERSON,
        subject=f"subscriber {subscription.subscriber_id}",
        mailing_list_id=subscription.mailing_list_id,
        before={"state": subscription.state.value},
        after={
            "state": subscriptions.get(tx, subscription.id).state.value,
            "lifted_everywhere": EVERY_LIST in result.mailing_list_ids,
            "lifted_here": subscription.mailing_list_id in result.mailing_list_ids,
            "undone": result.undone,
        },
        now=app.clock(),
    )


def _why_not(tx: Connection, subscription: Subscription) -> str | None:
    reasons = suppressions.reasons_for(tx, subscription.suppression_key, subscription.mailing_list_id)
    if SuppressionReason.NEVER in reasons:
        return "they asked never to be written to again, by any list"
    if subscription.state is SubscriptionState.PENDING:
        return "they were asked to confirm, and have not yet"
    if SuppressionReason.LEFT in reasons:
        return "they left by their own word, and only they can come back"
    if reasons:
        return "the order not to write to them is for all lists, and only an owner of the site lifts it"
    if subscription.state is SubscriptionState.UNSUBSCRIBED:
        return "they never confirmed, or declined"
    return None
