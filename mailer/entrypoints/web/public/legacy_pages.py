"""Pages for links in letters that other software sent for lists that moved here.

A link whose token came with an import unsubscribes its person; any other asks for the address, and writes to it.
"""

from __future__ import annotations

from functools import partial
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from mailer.actions.archive.earlier_index import earlier_name, find_by_old_address
from mailer.actions.archive.open_archive import open_public
from mailer.actions.inbound.receive import receive
from mailer.actions.subscriptions.legacy_links import look_up_source_token, unsubscribe_by_source_token
from mailer.actions.subscriptions.look_up import look_up_list
from mailer.app import App
from mailer.domain.address import parse_address
from mailer.domain.imports.legacy_list import LegacyLink, parse_link
from mailer.domain.incoming_message import IncomingMessage
from mailer.domain.mailing_list import MailingList
from mailer.entrypoints.web.public.archive_responses import moved
from mailer.entrypoints.web.public.token_pages import link_evidence
from mailer.entrypoints.web.responses import get_app, get_client_address, read_form, render_page
from mailer.errors import AddressRefused, NotFound


def legacy_routes(app: App) -> list[BaseRoute]:
    """The routes of all [[legacy]] lists, to be tried before our own pages with variable paths."""
    prefixes = dict.fromkeys(path for one in app.legacy_lists for path in one.paths)
    paths = [path for prefix in prefixes for path in (prefix, f"{prefix}/{{rest:path}}")]
    return [Route(path, _answer_link, methods=["GET", "POST"]) for path in paths]


async def _answer_link(request: Request) -> Response:
    app = get_app(request)
    link = parse_link(request.url.path, request.query_params, app.legacy_lists)
    if link is None:
        raise NotFound("no list that moved here has such links")
    if link.message_id_hash or link.number is not None:
        return await _find_letter(request, link)
    if link.is_for_joining:
        return RedirectResponse(f"{app.site.path}/join/{(await _list_of(app, link)).name}", 303)
    if request.method != "POST":
        return await _show(request, link)
    if link.token and (left := await unsubscribe_by_source_token(app, link.token, link_evidence(request))):
        return render_page(request, "goodbye", mailing_list=left, undo_action=None)
    return await _take_address(request, link)


async def _find_letter(request: Request, link: LegacyLink) -> Response:
    """The way to a letter of the former archive. Raises NotFound, also where there is no public archive."""
    app = get_app(request)
    archive = await open_public(app, (await _list_of(app, link)).name)
    letter = await find_by_old_address(app, archive, message_id_hash=link.message_id_hash, number=link.number)
    return moved(request, f"{archive.path}/{earlier_name(letter)}", is_personal=False)


async def _show(request: Request, link: LegacyLink) -> Response:
    """The button of a known person, or the form. Changes nothing, so link scanners may follow links."""
    known = await look_up_source_token(get_app(request), link.token) if link.token else None
    if known is not None:
        return render_page(request, "leave", mailing_list=known, action=_own_path(request))
    return await _form(request, link, link.address or "")


async def _take_address(request: Request, link: LegacyLink) -> Response:
    """Store the request. The response and its time do not show whether the address is subscribed."""
    app, posted = get_app(request), await read_form(request)
    typed = posted.get("email", "").strip()
    try:
        address = parse_address(typed)
    except AddressRefused:
        # Also for one click in a mail program whose token is not known: it must not be told that this has worked.
        return await _form(request, link, typed, problem=True)
    if not posted.get("website"):  # a hidden field that only robots fill in
        mailing_list = await _list_of(app, link)
        fields = {"list": mailing_list.name, "address": address.addr_spec, "leave": True}
        client = get_client_address(request)
        await receive(app, IncomingMessage(sender="", recipients=(), form=fields, client=client))
    return render_page(request, "leave_links_requested", form={"email": address.addr_spec})


async def _form(request: Request, link: LegacyLink, email: str, *, problem: bool = False) -> Response:
    show = partial(render_page, request, "old_link", status=422 if problem else 200)
    mailing_list = await _list_of(get_app(request), link)
    return show(mailing_list=mailing_list, action=_own_path(request), form={"email": email}, problem=problem)


async def _list_of(app: App, link: LegacyLink) -> MailingList:
    """The list that a link names, or the first that moved. Raises NotFound where it is not open here."""
    return await look_up_list(app, link.list_name or app.legacy_lists[0].list_name)


def _own_path(request: Request) -> str:
    """The path and query of the request, with the path of the site in front. Raises NotFound for one with dots in it.

    A browser takes `..` and `%2e%2e` for the way up, so a form could be made to post to any other page.
    """
    path: str = request.scope["path"]
    if any(segment in {".", ".."} for segment in path.split("/")):
        raise NotFound("no link of other software has such a path")
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{get_app(request).site.path}{quote(path, safe='/@:+,=')}{query}"
