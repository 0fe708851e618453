"""Add a mailing list, and change its limits and the text at the end of its letters."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.address import parse_address
from mailer.domain.language import parse_language
from mailer.domain.mailing_list import MailingList, check_list_name, check_postal_address, check_reason
from mailer.errors import AddressRefused, ListNameRefused
from mailer.store import mailing_lists


async def add_list(
    app: App,
    *,
    name: str,
    title: str,
    owner: str,
    description: str = "",
    language: str = "en",
    postal_address: str = "",
    reason: str = "",
) -> MailingList:
    """Add a list; its addresses work at once.

    Raises ListNameRefused for a name that is malformed or would shadow a command address, and for a bad language or
    title; AddressRefused for the owner's address, ListFooterRefused for the postal address or reason, AlreadyExists
    where there is a list of that name.
    """
    check_list_name(name)
    owner_address = parse_address(owner)
    if owner_address.domain == app.site.domain:
        raise AddressRefused(f"{owner} is in this service's own domain: mail to the owner would come back to us")
    if (tag := parse_language(language)) is None:
        raise ListNameRefused(f"{language!r} is not a language tag like en or tr")
    if not title.strip() or not (title + description).isprintable():
        raise ListNameRefused("the title must be words on one line, and so must the description")
    return await app.database.write(
        mailing_lists.add,
        name=name,
        title=title.strip(),
        description=description.strip(),
        language=tag,
        owner=owner_address.addr_spec,
        footer={"postal_address": check_postal_address(postal_address), "reason": check_reason(reason)},
        now=app.clock(),
    )


async def set_list(
    app: App,
    name: str,
    *,
    hard_after: int | None = None,
    soft_limit: int | None = None,
    postal_address: str | None = None,
    reason: str | None = None,
) -> MailingList:
    """Change a list's bounce limits (1 or more) and its footer; None leaves a value as it is, "" removes a text.

    The limits hold for bounces from now on, the footer for campaigns launched from now on. Raises NotFound and
    ListFooterRefused.
    """
    footer: dict[str, str | None] = {}
    if postal_address is not None:
        footer["postal_address"] = check_postal_address(postal_address)
    if reason is not None:
        footer["reason"] = check_reason(reason)

    def work(tx: Connection) -> MailingList:
        list_id = mailing_lists.get_by_name(tx, name).id
        mailing_lists.set_bounce_limits(tx, list_id, hard_after=hard_after, soft_limit=soft_limit)
        mailing_lists.set_footer(tx, list_id, footer)
        return mailing_lists.get(tx, list_id)

    return await app.database.write(work)
