"""Find people by how their address or name begins."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor, require_anywhere
from mailer.domain.accounts.role import Permission
from mailer.domain.subscription import SubscriptionState
from mailer.store import mailing_lists, people_search
from mailer.store.people_search import FoundPerson

MOST_FOUND = 50
LONGEST_SEARCH = 320


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonLine:
    """Somebody who was found, and how they stand on the lists where the actor sees people."""

    person: FoundPerson
    states: dict[str, SubscriptionState]
    """By the title of the list."""


async def find_people(app: App, actor: Actor, text: str) -> list[PersonLine]:
    """At most MOST_FOUND people whose address, whatever its capitals, or whose name begins with this text, by address.

    A name is found as it is typed, in small or in capital letters, or with capitals at the beginning of its words. Only
    people on lists where the actor sees people; raises NotPermitted where there are none.
    """

    def work(tx: Connection) -> list[PersonLine]:
        allowed = require_anywhere(actor, Permission.SEE_PEOPLE)
        printable = "".join(one for one in " ".join(text.split()) if one.isprintable())
        wanted = unicodedata.normalize("NFC", printable)[:LONGEST_SEARCH]
        if not wanted:
            return []
        names = list(dict.fromkeys((wanted, wanted.title(), wanted.lower(), wanted.upper())))
        found = people_search.find_by_beginning(tx, wanted.casefold(), names, allowed, MOST_FOUND)
        states = people_search.states_by_person(tx, [one.subscriber_id for one in found], allowed)
        titles = {one.id: one.title for one in mailing_lists.list_all(tx)}
        return [
            PersonLine(
                person=one,
                states={titles[number]: state for number, state in states.get(one.subscriber_id, {}).items()},
            )
            for one in found
        ]

    return await app.database.read(work)
