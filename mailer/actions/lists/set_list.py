"""An organiser changes what a list's letters say at their end, and how many letters that come back it bears."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.mailing_list import MailingList, check_postal_address, check_reason
from mailer.store import mailing_lists


async def set_list(
    app: App,
    name: str,
    *,
    hard_after: int | None = None,
    soft_limit: int | None = None,
    postal_address: str | None = None,
    reason: str | None = None,
) -> MailingList:
    """The list with these limits (1 or more) for what comes back from now on, and words; None leaves one as it is.

    Campaigns that are launched from now on have the words at the end of their letters; "" takes them away. Raises
    NotFound and ListWordsRefused.
    """
    words: dict[str, str | None] = {}
    if postal_address is not None:
        words["postal_address"] = check_postal_address(postal_address)
    if reason is not None:
        words["reason"] = check_reason(reason)

    def work(tx: Connection) -> MailingList:
        number = mailing_lists.get_by_name(tx, name).id
        mailing_lists.set_bounce_limits(tx, number, hard_after=hard_after, soft_limit=soft_limit)
        mailing_lists.set_footer(tx, number, words)
        return mailing_lists.get(tx, number)

    return await app.database.write(work)
