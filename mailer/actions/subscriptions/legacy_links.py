"""What links in letters of other software do here: unsubscribe whom they name, or send the links that do."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from mailer.actions.subscriptions.abuse_guard import may_send_auto_reply
from mailer.actions.subscriptions.unsubscribe import end_subscription
from mailer.app import App
from mailer.domain.address import Address, parse_address
from mailer.domain.consent import Evidence
from mailer.domain.delivery import Kind, Notice
from mailer.domain.incoming_message import IncomingMessage
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import Subscription, SubscriptionState
from mailer.store import mailing_lists, subscriptions
from mailer.store.imports import source_tokens
from mailer.store.queue import deliveries

_ACTIVE_STATES = (SubscriptionState.PENDING, SubscriptionState.CONFIRMED)


async def look_up_source_token(app: App, token: str) -> MailingList | None:
    """The list that the person of this token would leave; several are one, with all titles. None for an unknown token.

    A token that other software gave to a reader of several lists leaves all of them: its link does not say which.
    """

    def work(tx: Connection) -> MailingList | None:
        found = [mailing_lists.get(tx, one.mailing_list_id) for one in _subscriptions_of_token(tx, token)]
        return _as_one(found)

    return await app.database.read(work)


async def unsubscribe_by_source_token(app: App, token: str, evidence: Evidence) -> MailingList | None:
    """Unsubscribe the person of this token from every list that knows it; what `look_up_source_token` returns."""

    def work(tx: Connection) -> MailingList | None:
        found = _subscriptions_of_token(tx, token)
        for one in found:
            end_subscription(tx, app, one, evidence)
        return _as_one([mailing_lists.get(tx, one.mailing_list_id) for one in found])

    return await app.database.write(work)


def _subscriptions_of_token(tx: Connection, token: str) -> list[Subscription]:
    found = [subscriptions.get(tx, number) for number in source_tokens.find_subscription_ids(tx, token)]
    active = [one for one in found if one.state in _ACTIVE_STATES]
    return active or found


def _as_one(mailing_lists_left: list[MailingList]) -> MailingList | None:
    if not mailing_lists_left:
        return None
    return replace(mailing_lists_left[0], title=", ".join(one.title for one in mailing_lists_left))


async def send_leave_links_by_form(app: App, incoming: IncomingMessage) -> None:
    """Process the form of an old link that was stored as a row: send the address its lists, with links that leave them.

    Nothing is sent to an address that is on no list, nor twice a day. NotFound: the list is gone.
    """
    address = parse_address(incoming.form["address"])

    def work(tx: Connection) -> None:
        mailing_list = mailing_lists.get_by_name(tx, incoming.form["list"])
        notice = subscriptions_notice(tx, app, mailing_list, address, incoming.form.get("language"))
        if notice.values["lists"] and may_send_auto_reply(
            tx, app, address, authenticated=False, source=incoming.client
        ):
            deliveries.add_notice(tx, notice, app.clock())

    await app.database.write(work)


def subscriptions_notice(
    tx: Connection, app: App, mailing_list: MailingList, address: Address, *languages: str | None
) -> Notice:
    """The letter with the lists that an address is on, each with a link to leave it; its value `lists` may be empty."""
    titles = {one.id: one.title for one in mailing_lists.list_all(tx)}
    found = subscriptions.list_confirmed(tx, address.key)
    own_language = next((one.language for one in found), None)
    return Notice(
        kind=Kind.SUBSCRIPTIONS,
        address=address.addr_spec,
        suppression_key=app.site.keyring.suppression_key(address.key),
        language=app.language(own_language, *languages, mailing_list.language),
        mailing_list_id=mailing_list.id,
        values={"lists": [[titles[one.mailing_list_id], one.id] for one in found]},
    )
