"""What a page shows before anybody presses its button; changes nothing."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.mailing_list import MailingList
from mailer.domain.token import Purpose, read_token
from mailer.store import mailing_lists, subscriptions


async def look_up_token(app: App, purpose: Purpose, token: str) -> tuple[MailingList, str | None]:
    """The mailing list of the subscription a token names, and the person's language; TokenRefused or NotFound."""
    subscription_id = read_token(app.house.keyring, purpose, token)

    def work(tx: Connection) -> tuple[MailingList, str | None]:
        named = subscriptions.get(tx, subscription_id)
        return mailing_lists.get(tx, named.mailing_list_id), named.requested_language or named.language

    return await app.database.read(work)


async def look_up_asked(app: App, purpose: Purpose, token: str) -> str | None:
    """The language of the person a token names, None where their request is gone since; TokenRefused."""
    subscription_id = read_token(app.house.keyring, purpose, token)
    asked = await app.database.read(subscriptions.find_by_id, subscription_id)
    return (asked.requested_language or asked.language) if asked else None


async def look_up_list(app: App, name: str) -> MailingList:
    """The mailing list of that name; NotFound."""
    return await app.database.read(mailing_lists.named, name)


async def all_lists(app: App) -> list[MailingList]:
    """Every mailing list, by name."""
    return await app.database.read(mailing_lists.every)
