"""Lists as pages show them: with how many people are on them, counted up to a bound, and their last campaigns."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import Campaign
from mailer.domain.list_view import PeopleNumber
from mailer.domain.mailing_list import MailingList
from mailer.domain.page import Page
from mailer.domain.site import ListIdentity
from mailer.domain.subscription import SubscriptionState
from mailer.errors import NotFound
from mailer.store import campaigns, mailing_lists, people_search

LISTS_ON_A_PAGE = 25
_RECENT_CAMPAIGNS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class ListLine:
    """A list among others, and how many people are in each state."""

    mailing_list: MailingList
    address: str
    people: dict[SubscriptionState, PeopleNumber]


@dataclass(frozen=True, kw_only=True, slots=True)
class ListDetails:
    """All that a list's own page shows."""

    mailing_list: MailingList
    identity: ListIdentity
    people: dict[SubscriptionState, PeopleNumber]
    is_throttled: bool
    """Whether unauthenticated requests to join are deferred."""
    recent: tuple[Campaign, ...]
    """Its last campaigns, newest first."""


async def lists_with_people(app: App, actor: Actor, after: str = "") -> Page[ListLine]:
    """A page of the lists that the actor may read, by name; `after` is the cursor of the page before.

    Raises NotFound for what no page gave as cursor.
    """

    if not after.isprintable():
        raise NotFound("there is no such page; begin with the first")

    def work(tx: Connection) -> Page[ListLine]:
        page = mailing_lists.list_page(tx, after, LISTS_ON_A_PAGE, actor.list_ids(Permission.READ))
        people = people_search.count_people(tx, [one.id for one in page.items])
        lines = tuple(
            ListLine(mailing_list=one, address=app.list_identity(one).address(), people=people[one.id])
            for one in page.items
        )
        return Page(lines, page.next_cursor)

    return await app.database.read(work)


async def list_details(app: App, actor: Actor, name: str) -> ListDetails:
    """A list with its people in numbers and its last campaigns. Raises NotFound, NotPermitted."""

    def work(tx: Connection) -> ListDetails:
        mailing_list = mailing_lists.get_by_name(tx, name)
        actor.require(Permission.READ, mailing_list.id)
        return ListDetails(
            mailing_list=mailing_list,
            identity=app.list_identity(mailing_list),
            people=people_search.count_people(tx, [mailing_list.id])[mailing_list.id],
            is_throttled=mailing_list.is_throttled(app.clock()),
            recent=campaigns.list_page(tx, "", _RECENT_CAMPAIGNS, [mailing_list.id]).items,
        )

    return await app.database.read(work)


async def list_to_change(app: App, actor: Actor, name: str) -> MailingList:
    """A list that the actor may change. Raises NotFound, NotPermitted."""

    def work(tx: Connection) -> MailingList:
        mailing_list = mailing_lists.get_by_name(tx, name)
        actor.require(Permission.MANAGE_LIST, mailing_list.id)
        return mailing_list

    return await app.database.read(work)
