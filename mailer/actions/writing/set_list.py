"""An organiser changes how many letters that come back a list bears."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.mailing_list import MailingList
from mailer.store import mailing_lists


async def set_list(app: App, name: str, *, hard_after: int | None = None, soft_limit: int | None = None) -> MailingList:
    """The list with these limits (1 or more; None leaves one as it is) for what comes back from now on; NotFound."""

    def work(tx: Connection) -> MailingList:
        number = mailing_lists.named(tx, name).id
        mailing_lists.bear(tx, number, hard_after=hard_after, soft_limit=soft_limit)
        return mailing_lists.get(tx, number)

    return await app.database.write(work)
