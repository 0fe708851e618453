"""A person leaves a list: from the answer on nothing more is handed to them for it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.address import Address
from mailer.domain.consent import Act, Evidence
from mailer.domain.delivery import Kind, Notice
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import Subscription, SubscriptionState
from mailer.domain.suppression import Reason
from mailer.domain.token import Purpose, read_token, sign_token
from mailer.store import consents, deliveries, mailing_lists, subscriptions, suppressions


@dataclass(frozen=True, slots=True)
class Farewell:
    """Which list was left, and the token that takes it back."""

    mailing_list: MailingList
    rejoin_token: str


async def unsubscribe(app: App, token: str, evidence: Evidence) -> Farewell:
    """Never again mail this token's subscriber from its mailing list.

    Asking twice is no error, nor is asking about a request never confirmed: the person's wish is met either
    way. Raises TokenRefused and NotFound.
    """
    subscription_id = read_token(app.house.keyring, Purpose.LEAVE, token)

    def work(tx: Connection) -> MailingList:
        leaving = subscriptions.get(tx, subscription_id)
        _let_go(tx, app, leaving, evidence)
        return mailing_lists.get(tx, leaving.mailing_list_id)

    left = await app.database.write(work)
    return Farewell(left, sign_token(app.house.keyring, Purpose.REJOIN, subscription_id))


async def unsubscribe_address(
    app: App, *, list_name: str, address: Address, evidence: Evidence, in_reply_to: str | None = None
) -> None:
    """Let the person at `address` leave, and tell them so by letter, with the way back.

    A mail's sender is easily forged, which is why a letter tells; somebody who is not on the list is sent
    the list's commands instead. Raises NotFound for an unknown list.
    """

    def work(tx: Connection) -> None:
        mailing_list = mailing_lists.named(tx, list_name)
        leaving = subscriptions.find(tx, mailing_list.id, address.key)
        on_it = leaving is not None and leaving.state is not SubscriptionState.UNSUBSCRIBED
        if leaving is not None and on_it:
            _let_go(tx, app, leaving, evidence)
        notice = Notice(
            kind=Kind.GOODBYE if on_it else Kind.HELP,
            address=leaving.address if leaving else address.mailed,
            suppression_key=app.house.keyring.suppression_key(address.key),
            language=app.language(leaving.language if leaving else None, mailing_list.language),
            mailing_list_id=mailing_list.id,
            subscription_id=leaving.id if leaving else None,
            values={"in_reply_to": in_reply_to} if in_reply_to else {},
            # The sender may be forged: who is not on the list gets the commands once a day, whoever asks.
            cause=None if on_it else f"help {mailing_list.id} {address.key} {app.clock().date()}",
        )
        deliveries.add_notice(tx, notice, app.clock())

    await app.database.write(work)
    app.bells.notices.set()


def _let_go(tx: Connection, app: App, leaving: Subscription, evidence: Evidence) -> None:
    now = app.clock()
    still_on = (SubscriptionState.PENDING, SubscriptionState.CONFIRMED)
    if subscriptions.move(tx, leaving.id, SubscriptionState.UNSUBSCRIBED, of=still_on, now=now):
        consents.record(tx, leaving, Act.LEFT, evidence, now)
    suppressions.order(tx, leaving.suppression_key, leaving.mailing_list_id, Reason.LEFT, now)
    deliveries.suppress_waiting(tx, leaving.subscriber_id, leaving.mailing_list_id)
