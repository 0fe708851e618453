"""Who may read the letters of a list on the web: everybody, or a subscriber by the link of a letter."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.letters.archive_paths import ARCHIVE_PAGE, VIEW_PAGE
from mailer.domain.mailing_list import ArchiveMode, MailingList
from mailer.domain.subscription import SubscriptionState
from mailer.domain.token import Purpose, read_token
from mailer.errors import NotFound, NothingPending
from mailer.store import mailing_lists, subscriptions


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenArchive:
    """The archive of a list, for somebody who may read it."""

    mailing_list: MailingList
    token: str | None = None
    """By which one of its subscribers came; None: it is public."""
    language: str | None = None
    """Of that subscriber, if it is known."""

    @property
    def path(self) -> str:
        """The path of its index, below the site's URL; those of all its pages begin so."""
        return f"/{ARCHIVE_PAGE}/{self.mailing_list.name}" if self.token is None else f"/{VIEW_PAGE}/{self.token}"


async def open_public(app: App, list_name: str) -> OpenArchive:
    """The public archive of a list. Raises NotFound, also for a list that has none."""
    mailing_list = await app.database.read(mailing_lists.get_by_name, list_name)
    if mailing_list.archive is not ArchiveMode.PUBLIC:
        raise NotFound(f"there is no public archive of {list_name!r}")
    return OpenArchive(mailing_list=mailing_list)


async def open_by_token(app: App, token: str) -> OpenArchive:
    """The archive for the subscriber whose letter has this token; without the token where it is public.

    Raises TokenRefused; NothingPending for somebody who is not subscribed any more; NotFound where the list has none.
    """
    subscription_id = read_token(app.site.keyring, Purpose.VIEW, token)

    def work(tx: Connection) -> OpenArchive:
        subscription = subscriptions.get(tx, subscription_id)
        mailing_list = mailing_lists.get(tx, subscription.mailing_list_id)
        if mailing_list.archive is ArchiveMode.PUBLIC:
            return OpenArchive(mailing_list=mailing_list)
        if mailing_list.archive is not ArchiveMode.SUBSCRIBERS:
            raise NotFound(f"there is no archive of {mailing_list.name!r}")
        if subscription.state is not SubscriptionState.CONFIRMED:
            raise NothingPending("only subscribers may read this, and this person is none any more")
        return OpenArchive(mailing_list=mailing_list, token=token, language=subscription.language)

    return await app.database.read(work)
