"""Lists: all of them, one with its people in numbers, the form that changes it, and a new one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.lists.edit_list import add_list, find_bad_fields, set_list
from mailer.actions.lists.list_pages import list_details, list_to_change, lists_with_people
from mailer.domain.accounts.role import Permission
from mailer.domain.mailing_list import MAX_BOUNCE_LIMIT, MAX_NAME_OCTETS, MailingList
from mailer.entrypoints.web.console.organiser_form import language_choices, language_name, zone_names
from mailer.entrypoints.web.console.pages import actor, me, read_console_form, redirect, render_console
from mailer.entrypoints.web.responses import get_app
from mailer.errors import AlreadyExists

_WORDS = ("title", "description", "owner", "language", "zone", "postal_address", "reason")
"""Fields that are texts, as they are given."""
_RULES = ("hard_after", "soft_limit", "testers", "needs_approval", "archive")
"""Further fields of a list that is open."""
_MOST_CHARACTERS = 10_000


async def show_lists(request: Request) -> Response:
    """The lists that one may read, by name, with their people in numbers."""
    page = await lists_with_people(get_app(request), actor(request), request.query_params.get("after", ""))
    return render_console(request, "lists", page=page)


async def show_list(request: Request) -> Response:
    """One list."""
    found = await list_details(get_app(request), actor(request), request.path_params["name"])
    language = language_name(found.mailing_list.language)
    return render_console(request, "list", found=found, mailing_list=found.mailing_list, list_language=language)


async def show_new_list(request: Request) -> Response:
    """The form for a new list."""
    actor(request).require(Permission.MANAGE_SITE)
    own, empty = me(request), dict.fromkeys(("name", *_WORDS), "")
    return _render_form(request, empty | {"owner": own.address, "language": own.language, "zone": own.zone})


async def post_new_list(request: Request) -> Response:
    """Open a list, and show it."""
    form, app, who = await read_console_form(request), get_app(request), actor(request)
    who.require(Permission.MANAGE_SITE)
    given = {field: _text(form, field) for field in ("name", *_WORDS)}
    if bad := find_bad_fields(app, given):
        return _render_form(request, given, bad)
    try:
        added = await add_list(app, who, **given)
    except AlreadyExists:
        return _render_form(request, given, ["taken"])
    return redirect(request, f"/console/lists/{added.name}", done="list-added")


async def show_change(request: Request) -> Response:
    """The form that changes a list."""
    present = await list_to_change(get_app(request), actor(request), request.path_params["name"])
    segments = "\n".join(f"{name}: {condition}" for name, condition in present.segments.items())
    return _render_form(request, _as_given(present), present=present, segments=segments)


async def post_change(request: Request) -> Response:
    """Change a list, and show it."""
    form, app, who = await read_console_form(request), get_app(request), actor(request)
    present = await list_to_change(app, who, request.path_params["name"])
    given: dict[str, Any] = {field: _text(form, field) for field in _WORDS}
    given |= {field: _number(form, field) for field in ("hard_after", "soft_limit")}
    # Who has not chosen an archive leaves that as it is.
    given |= {"archive": archive} if (archive := _text(form, "archive")) else {}
    given |= {"testers": _text(form, "testers").split(), "needs_approval": "needs_approval" in form}
    if "segments" in form:
        given["segments"] = dict.fromkeys(present.segments, "") | dict(_split_segments(_text(form, "segments")))
    # Conditions are tried, which takes some milliseconds each.
    if bad := await asyncio.to_thread(find_bad_fields, app, given):
        return _render_form(request, given, bad, present=present, segments=_text(form, "segments"))
    await set_list(app, who, present.name, **given)
    return redirect(request, f"/console/lists/{present.name}", done="saved")


def _as_given(present: MailingList) -> dict[str, Any]:
    return {field: getattr(present, field) or "" for field in (*_WORDS, *_RULES)}


def _split_segments(text: str) -> Iterator[tuple[str, str]]:
    """(name, condition) of each line; the name, and so the field, is wrong in a line that has not both."""
    for line in filter(str.strip, text.split("\n")):
        name, _, condition = (part.strip() for part in line.partition(":"))
        yield (name, condition) if condition else ("", line)


def _render_form(
    request: Request,
    given: Mapping[str, Any],
    bad: Sequence[str] = (),
    *,
    present: MailingList | None = None,
    segments: str = "",
) -> Response:
    return render_console(
        request,
        "list_form",
        status=422 if bad else 200,
        given=given,
        bad=bad,
        present=present,
        segments=segments,
        languages=language_choices(request),
        zones=zone_names(),
        longest_name=MAX_NAME_OCTETS,
        highest_limit=MAX_BOUNCE_LIMIT,
    )


def _text(form: FormData, field: str) -> str:
    value = form.get(field, "")
    return value.replace("\r\n", "\n").strip()[:_MOST_CHARACTERS] if isinstance(value, str) else ""


def _number(form: FormData, field: str) -> int:
    """The whole number of a field; 0, which is no limit, for anything else."""
    text = _text(form, field)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


ROUTES = (
    Route("/console/lists", show_lists),
    # No name of a list begins with a line.
    Route("/console/lists/_new", show_new_list),
    Route("/console/lists/_new", post_new_list, methods=["POST"]),
    Route("/console/lists/{name}", show_list),
    Route("/console/lists/{name}/change", show_change),
    Route("/console/lists/{name}/change", post_change, methods=["POST"]),
)
