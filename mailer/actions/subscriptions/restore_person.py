"""Restore a person whose letters bounced or who complained, on an organiser's word."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.actions.subscriptions.lift_suppressions import LiftResult, lift_suppressions
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.address import parse_address
from mailer.domain.consent import Channel, ConsentAct, Evidence
from mailer.domain.person_view import EVERY_LIST_NAME
from mailer.domain.subscription import Subscription, SubscriptionState
from mailer.domain.suppression import EVERY_LIST, LIFTABLE_REASONS, SuppressionReason
from mailer.errors import NotFound
from mailer.store import consents, mailing_lists, subscriptions, suppressions
from mailer.store.accounts import audit_log


@dataclass(frozen=True, slots=True)
class RestoredPerson:
    """What holds after restoring a person."""

    state: SubscriptionState
    lifted: tuple[str, ...]
    """Names of the lists whose suppressions were lifted: the list's, EVERY_LIST_NAME."""
    undone: int
    """How many bounces do not count any more."""
    why_not: str | None
    """Why the person still gets no letters from the list, as a text; None where they do."""


async def restore_person(app: App, actor: Actor, address: str, *, list_name: str) -> RestoredPerson:
    """Lift a person's suppressions for bounces and complaints, of this list.

    Those of every list are lifted, too, if the actor manages the site. Earlier bounces do not count any more. A
    subscription that they ended is confirmed again; who unsubscribed stays unsubscribed. Twice is no error. Raises
    NotFound, NotPermitted and AddressRefused.
    """
    person = parse_address(address)

    def work(tx: Connection) -> RestoredPerson:
        mailing_list, now = mailing_lists.get_by_name(tx, list_name), app.clock()
        actor.require(Permission.CHANGE_PEOPLE, mailing_list.id)
        subscription = subscriptions.find(tx, mailing_list.id, person.key)
        if subscription is None:
            raise NotFound(f"{person.addr_spec} was never on {list_name}")
        everywhere = actor.may(Permission.MANAGE_SITE)
        result = lift_suppressions(tx, app, subscription, *LIFTABLE_REASONS, everywhere=everywhere)
        lifted = tuple(EVERY_LIST_NAME if list_id == EVERY_LIST else list_name for list_id in result.mailing_list_ids)
        if result:
            evidence = Evidence(Channel.COMMAND, {"by": actor.name, "lifted": list(lifted), "undone": result.undone})
            consents.record(tx, subscription, ConsentAct.RESTORED, evidence, now)
            _record(tx, app, actor, subscription, result)
        subscription = subscriptions.get(tx, subscription.id)
        return RestoredPerson(subscription.state, lifted, result.undone, _why_not(tx, subscription))

    return await app.database.write(work)


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
    reasons = dict.fromkeys(
        reason
        for list_id, reason in suppressions.list_for_person(tx, subscription.suppression_key)
        if list_id in {EVERY_LIST, subscription.mailing_list_id}
    )
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
