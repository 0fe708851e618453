"""An organiser opens a mailing list."""

from __future__ import annotations

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
    """Open a list; its addresses work at once.

    Raises ListNameRefused for a name that is malformed or would shadow a command address, AddressRefused
    for the owner's, ListWordsRefused for what cannot stand at the end of letters, AlreadyThere when the name is taken.
    """
    check_list_name(name)
    answers = parse_address(owner)
    if answers.domain == app.site.domain:
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
        owner=answers.addr_spec,
        footer={"postal_address": check_postal_address(postal_address), "reason": check_reason(reason)},
        now=app.clock(),
    )
