"""Look up what a page shows before its button is pressed; nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import SubscriptionState, may_rejoin
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.domain.token import Purpose, read_token, sign_token
from mailer.store import mailing_lists, subscriptions, suppressions
from mailer.store.pages import all_items


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenSubject:
    """The subscription of a token, as far as a page may show it."""

    mailing_list: MailingList
    language: str | None
    """The person's language tag; None where it is not known."""
    state: SubscriptionState
    is_reached: bool
    """Whether no bounce or pause, which a confirmation lifts, keeps letters from the person."""
    rejoin_token: str | None
    """The token that undoes an unsubscription; None where there was none, or too long ago."""


async def look_up_token(app: App, purpose: Purpose, token: str) -> TokenSubject:
    """Look up the subscription of a token that was made for this purpose. Raises TokenRefused and NotFound."""
    subscription_id = read_token(app.site.keyring, purpose, token)

    def work(tx: Connection) -> TokenSubject:
        subscription = subscriptions.get(tx, subscription_id)
        undo_token = (
            sign_token(app.site.keyring, Purpose.REJOIN, subscription.id)
            if may_rejoin(subscription, app.clock())
            else None
        )
        return TokenSubject(
            mailing_list=mailing_lists.get(tx, subscription.mailing_list_id),
            language=subscription.requested_language or subscription.language,
            state=subscription.state,
            is_reached=not suppressions.is_lifted_by_request(
                tx, subscription.suppression_key, subscription.mailing_list_id
            ),
            rejoin_token=undo_token,
        )

    return await app.database.read(work)


async def look_up_opt_out(app: App, purpose: Purpose, token: str) -> tuple[str | None, bool]:
    """The language of a token's person, and whether they chose "never ask me again" already. Raises TokenRefused.

    (None, False) where the request has been erased since.
    """
    subscription_id = read_token(app.site.keyring, purpose, token)

    def work(tx: Connection) -> tuple[str | None, bool]:
        if (subscription := subscriptions.find_by_id(tx, subscription_id)) is None:
            return None, False
        opted_out = (EVERY_LIST, SuppressionReason.NEVER) in suppressions.list_for_person(
            tx, subscription.suppression_key
        )
        return subscription.requested_language or subscription.language, opted_out

    return await app.database.read(work)


async def look_up_list(app: App, name: str) -> MailingList:
    """The mailing list of that name. Raises NotFound."""
    return await app.database.read(mailing_lists.get_by_name, name)


async def all_lists(app: App) -> list[MailingList]:
    """Every mailing list, by name."""
    return [one async for one in all_items(partial(app.database.read, mailing_lists.list_page))]
