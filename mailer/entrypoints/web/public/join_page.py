"""The join form; what is posted is stored as an incoming message and processed like mail."""

from __future__ import annotations

from typing import Any

from babel import Locale
from starlette.requests import Request
from starlette.responses import Response

from mailer.actions.inbound.receive import receive
from mailer.actions.subscriptions.look_up import look_up_list
from mailer.domain.address import parse_address
from mailer.domain.incoming_message import IncomingMessage
from mailer.domain.language import parse_language
from mailer.domain.mailing_list import MailingList
from mailer.entrypoints.web.responses import get_app, get_client_address, read_form, render_page
from mailer.errors import AddressRefused

_LONGEST_NAME = 100


async def show_join(request: Request) -> Response:
    """The empty form."""
    mailing_list = await look_up_list(get_app(request), request.path_params["name"])
    return _render_form(request, mailing_list, {"email": "", "name": "", "language": ""})


async def post_join(request: Request) -> Response:
    """Store the request. The response and its time do not show whether the address is subscribed."""
    app = get_app(request)
    mailing_list = await look_up_list(app, request.path_params["name"])
    posted = await read_form(request)
    form = {field: posted.get(field, "").strip() for field in ("email", "name", "language")}
    form["name"] = "".join(character for character in form["name"] if character.isprintable())[:_LONGEST_NAME]
    again = posted.get("again") == "1"
    try:
        address = parse_address(form["email"])
    except AddressRefused:
        return _render_form(request, mailing_list, form, problem=True)
    if not posted.get("website"):  # a hidden field that only robots fill in
        request_fields = {
            "list": mailing_list.name,
            "address": address.addr_spec,
            "name": form["name"] or None,
            "language": parse_language(form["language"]),
            "again": again,
        }
        await receive(
            app, IncomingMessage(sender="", recipients=(), form=request_fields, client=get_client_address(request))
        )
    language = parse_language(form["language"])
    action = f"{app.site.path}/join/{mailing_list.name}"
    return render_page(
        request, "subscription_requested", language, mailing_list=mailing_list, action=action, form=form, again=again
    )


def _render_form(
    request: Request, mailing_list: MailingList, form: dict[str, str], *, problem: bool = False
) -> Response:
    app = get_app(request)
    languages = [(tag, Locale.parse(tag, sep="-").get_display_name(tag)) for tag in app.templates.languages]
    values: dict[str, Any] = {
        "mailing_list": mailing_list,
        "list_identity": app.list_identity(mailing_list),
        "action": f"{app.site.path}/join/{mailing_list.name}",
        "languages": languages,
        "form": form | {"language": form["language"] or mailing_list.language},
        "problem": problem,
    }
    return render_page(request, "join", parse_language(form["language"]), status=422 if problem else 200, **values)
