"""The check of a letter before it goes: begun by a button, followed while it runs, and read when it is done."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mailer.actions.campaigns.review import review
from mailer.domain.accounts.role import Permission
from mailer.domain.letters.preflight import hide_people
from mailer.entrypoints.web.console.pages import actor, campaign_of, read_console_form, redirect, render_console
from mailer.entrypoints.web.console.preflight_runs import preflight_runs
from mailer.entrypoints.web.responses import get_app

_PATH = "/console/campaigns/{campaign_id:int}/check"
_LOOK_AGAIN_S = 2


async def show_check(request: Request) -> Response:
    """What the last check found; while one runs, how far it has come, loaded anew by itself."""
    app, who, campaign_id = get_app(request), actor(request), campaign_of(request)
    view = await review(app, who, campaign_id)
    run = preflight_runs(request).get(campaign_id)
    report = run.report if run is not None else None
    if report is not None and not who.may(Permission.SEE_PEOPLE, view.mailing_list.id):
        report = hide_people(report)
    return render_console(
        request,
        "check",
        headers={"Refresh": str(_LOOK_AGAIN_S)} if run is not None and run.is_running else None,
        view=view,
        run=run,
        report=report,
        is_current=report is not None and report.digest == view.digest,
        may_check=who.may(Permission.WRITE, view.mailing_list.id),
    )


async def post_check(request: Request) -> Response:
    """Begin a check; the page shows how far it has come."""
    form, who, campaign_id = await read_console_form(request), actor(request), campaign_of(request)
    view = await review(get_app(request), who, campaign_id)
    who.require(Permission.WRITE, view.mailing_list.id)
    preflight_runs(request).start(who, campaign_id, with_links=bool(form.get("links")))
    return redirect(request, f"/console/campaigns/{campaign_id}/check")


ROUTES = (Route(_PATH, show_check), Route(_PATH, post_check, methods=["POST"]))
