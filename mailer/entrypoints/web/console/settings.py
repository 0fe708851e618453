"""Settings: what there is for whom, how letters leave, and the audit log."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.accounts.show_audit_log import audit_page
from mailer.actions.accounts.show_organisers import lists_to_manage
from mailer.actions.maintenance.check_health import check_health
from mailer.actions.maintenance.show_sending import show_sending
from mailer.domain.accounts.role import Permission
from mailer.entrypoints.web.console.pages import actor, read_console_form, redirect, render_console
from mailer.entrypoints.web.responses import get_app

_AUDIT_LINES = 50


async def show_settings(request: Request) -> Response:
    """The pages of settings that whoever looks may open."""
    app, who = get_app(request), actor(request)
    lists = await lists_to_manage(app, who)
    return render_console(
        request,
        "settings",
        owns_site=who.may(Permission.MANAGE_SITE),
        owns_a_list=bool(lists),
        takes_mentions=app.archive.webmention and who.list_ids(Permission.WRITE) != frozenset(),
    )


async def show_sending_page(request: Request) -> Response:
    """Relays, keys, and what the last checks found."""
    return render_console(request, "sending", view=await show_sending(get_app(request), actor(request)))


async def post_check(request: Request) -> Response:
    """Check again now."""
    await read_console_form(request)
    await check_health(get_app(request), actor(request))
    return redirect(request, "/console/settings/sending", done="checked")


async def show_audit(request: Request) -> Response:
    """The audit log, of the site or of one list."""
    app = get_app(request)
    lists = await lists_to_manage(app, actor(request))
    owns_site = actor(request).may(Permission.MANAGE_SITE)
    list_name = request.query_params.get("list")
    shown = list_name if list_name or owns_site or not lists else lists[0].name
    after = request.query_params.get("after", "")
    page = await audit_page(app, actor(request), after, _AUDIT_LINES, list_name=shown)
    names = {one.id: one.name for one in lists}
    return render_console(
        request, "audit", page=page, shown=shown, lists=lists, names=names, owns_site=owns_site, after=after
    )


ROUTES = (
    Route("/console/settings", show_settings),
    Route("/console/settings/sending", show_sending_page),
    Route("/console/settings/sending/check", post_check, methods=["POST"]),
    Route("/console/settings/audit", show_audit),
)
