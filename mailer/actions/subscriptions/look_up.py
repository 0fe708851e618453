"""What a page shows before anybody presses its button; changes nothing."""

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
    """The subscription that a token names, as far as a page may tell."""

    mailing_list: MailingList
    language: str | None
    """The person's."""
    state: SubscriptionState
    rejoin_token: str | None
    """It takes back a leaving; None where nothing was left, or too long ago."""


async def look_up_token(app: App, purpose: Purpose, token: str) -> TokenSubject:
    """What the pages behind a token of that purpose are about; TokenRefused or NotFound."""
    subscription_id = read_token(app.site.keyring, purpose, token)

    def work(tx: Connection) -> TokenSubject:
        named = subscriptions.get(tx, subscription_id)
        undo = sign_token(app.site.keyring, Purpose.REJOIN, named.id) if may_rejoin(named, app.clock()) else None
        return TokenSubject(
            mailing_list=mailing_lists.get(tx, named.mailing_list_id),
            language=named.requested_language or named.language,
            state=named.state,
            rejoin_token=undo,
        )

    return await app.database.read(work)


async def look_up_opt_out(app: App, purpose: Purpose, token: str) -> tuple[str | None, bool]:
    """The language of the person a token names, and whether they said already never to be written to; TokenRefused.

    Neither is known where their request is gone since.
    """
    subscription_id = read_token(app.site.keyring, purpose, token)

    def work(tx: Connection) -> tuple[str | None, bool]:
        if (asked := subscriptions.find_by_id(tx, subscription_id)) is None:
            return None, False
        said = (EVERY_LIST, SuppressionReason.NEVER) in suppressions.list_for_person(tx, asked.suppression_key)
        return asked.requested_language or asked.language, said

    return await app.database.read(work)


async def look_up_list(app: App, name: str) -> MailingList:
    """The mailing list of that name; NotFound."""
    return await app.database.read(mailing_lists.get_by_name, name)


async def all_lists(app: App) -> list[MailingList]:
    """Every mailing list, by name."""
    return [one async for one in all_items(partial(app.database.read, mailing_lists.list_page))]
