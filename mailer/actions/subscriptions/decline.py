"""The person says no: nothing is joined, and on request nobody asks again."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.address import Address
from mailer.domain.consent import ConsentAct, Evidence
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.domain.token import Purpose, read_token
from mailer.store import consents, mailing_lists, retention, subscribers, subscriptions, suppressions
from mailer.store.queue import deliveries


async def decline(app: App, token: str, evidence: Evidence) -> MailingList:
    """Withdraw the pending request this token names; where none is pending nothing changes.

    Raises TokenRefused and NotFound.
    """
    subscription_id = read_token(app.site.keyring, Purpose.CONFIRM, token)

    def work(tx: Connection) -> MailingList:
        asked = subscriptions.get(tx, subscription_id)
        pending = (SubscriptionState.PENDING,)
        if subscriptions.change_state(
            tx, asked.id, SubscriptionState.UNSUBSCRIBED, from_states=pending, now=app.clock()
        ):
            consents.record(tx, asked, ConsentAct.DECLINED, evidence, app.clock())
        return mailing_lists.get(tx, asked.mailing_list_id)

    return await app.database.write(work)


async def never_ask_again(app: App, token: str, evidence: Evidence, *, purpose: Purpose = Purpose.NEVER) -> None:
    """Nobody may be asked by this service to join at the mailbox this token leads to, nor written to, from now on.

    It holds for every address of the mailbox, plus-tags and Gmail's dots seen through, and is kept as hashes. All
    subscriptions there end; of who was never on a list nothing else stays. Asking twice is no error, nor is asking
    about a request that expired: then the letter tells whom it went to. Raises TokenRefused.
    """
    subscription_id = read_token(app.site.keyring, purpose, token)
    expired = await app.database.read(_notices_of_expired_request, subscription_id)

    def work(tx: Connection) -> None:
        asked = subscriptions.find_by_id(tx, subscription_id)
        if asked is not None and asked.address:
            _suppress_mailbox(tx, app, Address(asked.address), asked.mailing_list_id, evidence)
        for letter in expired:
            if letter.address and letter.mailing_list_id:
                _suppress_mailbox(tx, app, Address(letter.address), letter.mailing_list_id, evidence)
        retention.erase_notice_recipients(tx, [letter.id for letter in expired])

    await app.database.write(work)


def _notices_of_expired_request(tx: Connection, subscription_id: int) -> list[deliveries.PastNotice]:
    """Whom we wrote to about a request that is not there any more."""
    return [] if subscriptions.find_by_id(tx, subscription_id) else deliveries.list_notices_about(tx, subscription_id)


def _suppress_mailbox(tx: Connection, app: App, address: Address, mailing_list_id: int, evidence: Evidence) -> None:
    now, key = app.clock(), app.site.keyring.suppression_key
    people = subscribers.find_in_mailbox(tx, address.mailbox_key)
    for suppression_key in {key(address.key), key(address.mailbox_key), *people.values()}:
        suppressions.add(tx, suppression_key, EVERY_LIST, SuppressionReason.NEVER, now)
    for number in people:
        subscriptions.unsubscribe_all(tx, number, now)
        deliveries.suppress_waiting(tx, number, EVERY_LIST)
    were_on = consents.find_agreed(tx, people)
    consents.record_many(tx, mailing_list_id, were_on, ConsentAct.NEVER, evidence, now)
    retention.erase_subscribers(tx, set(people) - were_on)
