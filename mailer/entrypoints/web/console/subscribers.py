"""Subscribers: how many there are, people found by address or name, and one person with the evidence."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.lists.list_pages import lists_with_people
from mailer.actions.subscriptions.find_people import LONGEST_SEARCH, MOST_FOUND, find_people
from mailer.actions.subscriptions.show_person import show_subscriber
from mailer.domain.accounts.role import Permission
from mailer.entrypoints.web.console.organiser_form import language_name
from mailer.entrypoints.web.console.pages import actor, render_console
from mailer.entrypoints.web.responses import get_app


async def show_subscribers(request: Request) -> Response:
    """The people of each list in numbers; with a search, those who are found."""
    app, who, query = get_app(request), actor(request), request.query_params
    asked = query.get("q", "").strip()[:LONGEST_SEARCH]
    sees_people = who.list_ids(Permission.SEE_PEOPLE) != frozenset()
    found = await find_people(app, who, asked) if asked else None
    page = None if asked else await lists_with_people(app, who, query.get("after", ""))
    return render_console(
        request, "subscribers", asked=asked, sees_people=sees_people, found=found, most_found=MOST_FOUND, page=page
    )


async def show_one(request: Request) -> Response:
    """What is known of one person."""
    person = await show_subscriber(get_app(request), actor(request), request.path_params["subscriber_id"])
    speaks = language_name(person.language) if person.language else ""
    return render_console(request, "subscriber", person=person, speaks=speaks)


ROUTES = (
    Route("/console/subscribers", show_subscribers),
    Route("/console/subscribers/{subscriber_id:int}", show_one),
)
