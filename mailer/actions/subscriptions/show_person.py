"""Show what is known of one address, and on what evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor, require_anywhere
from mailer.domain.accounts.role import Permission
from mailer.domain.address import parse_address
from mailer.domain.person_view import EVERY_LIST_NAME, BounceView, ConsentView, PersonView, SuppressionView
from mailer.domain.subscription import Subscription, SubscriptionState
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.errors import NotFound
from mailer.store import bounce_records, consents, mailing_lists, subscribers, subscriptions, suppressions
from mailer.store.bounce_records import BounceRecord
from mailer.store.consents import ConsentLine
from mailer.store.subscribers import SubscriberRow


async def show_person(app: App, actor: Actor, address: str) -> PersonView:
    """What is known of an address on the lists where the actor sees people.

    NotFound, too, where the person is on none of these lists: others' people are not told of. Raises NotPermitted where
    the actor sees nobody, and AddressRefused.
    """
    person = parse_address(address)

    def work(tx: Connection) -> PersonView:
        known = subscribers.find(tx, address_key=person.key)
        suppressed = suppressions.list_for_person(tx, app.site.keyring.suppression_key(person.key))
        return _load(tx, app, actor, known, person.addr_spec, suppressed)

    return await app.database.read(work)


async def show_subscriber(app: App, actor: Actor, subscriber_id: int) -> PersonView:
    """As `show_person`, of the person with this number."""
    name = f"person {subscriber_id}"
    return await app.database.read(
        lambda tx: _load(tx, app, actor, subscribers.find(tx, subscriber_id=subscriber_id), name)
    )


def _load(
    tx: Connection,
    app: App,
    actor: Actor,
    person: SubscriberRow | None,
    asked: str,
    suppressed: Sequence[tuple[int, SuppressionReason]] = (),
) -> PersonView:
    allowed = require_anywhere(actor, Permission.SEE_PEOPLE)
    list_names = {one.id: one.name for one in mailing_lists.list_all(tx) if allowed is None or one.id in allowed}
    found = _subscriptions(tx, list_names, person.address_key) if person is not None else []
    if person is None or not (found or allowed is None):
        names = list_names | ({EVERY_LIST: EVERY_LIST_NAME} if allowed is None else {})
        orders = ", ".join(f"{reason} ({names[list_id]})" for list_id, reason in suppressed if list_id in names)
        raise NotFound(f"{asked} is not known here" + (f", and gets no letters: {orders}" if orders else ""))
    return _view(tx, app, person, found, list_names, is_all=allowed is None)


def _subscriptions(tx: Connection, list_names: Mapping[int, str], address_key: str) -> list[Subscription]:
    found = (subscriptions.find(tx, list_id, address_key) for list_id in list_names)
    return [one for one in found if one is not None]


def _view(
    tx: Connection,
    app: App,
    person: SubscriberRow,
    found: Sequence[Subscription],
    list_names: Mapping[int, str],
    *,
    is_all: bool,
) -> PersonView:
    names = {**list_names, EVERY_LIST: EVERY_LIST_NAME}
    suppressed = suppressions.ends_for_person(tx, app.site.keyring.suppression_key(person.address_key))
    bounces = bounce_records.list_for_subscriber(tx, person.id)
    lines = consents.list_for_subscriber(tx, person.id)
    return PersonView(
        id=person.id,
        address=person.address,
        name=person.name,
        language=person.language,
        zone=person.zone,
        never=(EVERY_LIST, SuppressionReason.NEVER) in suppressed,
        suppressions=tuple(
            SuppressionView(list_name=names[list_id], reason=reason, until=until)
            for (list_id, reason), until in suppressed.items()
            if list_id in names
        ),
        paused=frozenset(
            list_names[one.mailing_list_id]
            for one in found
            if one.state is SubscriptionState.CONFIRMED
            and not {
                (one.mailing_list_id, SuppressionReason.PAUSED),
                (EVERY_LIST, SuppressionReason.PAUSED),
            }.isdisjoint(suppressed)
        ),
        subscriptions={list_names[one.mailing_list_id]: one.state for one in found},
        delivery_modes={list_names[one.mailing_list_id]: one.delivery_mode for one in found if one.delivery_mode},
        bounces=tuple(_bounce_view(row, list_names) for row in bounces if is_all or row.mailing_list_id in list_names),
        consents=tuple(_consent_view(row, list_names) for row in lines if row.mailing_list_id in list_names),
    )


def _bounce_view(one: BounceRecord, list_names: Mapping[int, str]) -> BounceView:
    return BounceView(
        at=one.at,
        list_name=list_names.get(one.mailing_list_id or 0),
        campaign_id=one.campaign_id,
        letter=one.letter,
        kind=one.kind,
        severity=one.severity,
        reason=one.reason,
        status=one.status,
        complaint=one.complaint,
        channel=one.channel,
        diagnostic=one.diagnostic,
        undone=one.is_undone,
    )


def _consent_view(line: ConsentLine, list_names: Mapping[int, str]) -> ConsentView:
    return ConsentView(
        at=line.at,
        list_name=list_names[line.mailing_list_id],
        act=line.act,
        channel=line.channel,
        evidence=line.evidence,
    )
