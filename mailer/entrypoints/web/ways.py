"""The pages behind personal links: confirm, leave, come back, never be asked. GET shows one button; POST acts."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from mailer.actions.joining.confirm import confirm
from mailer.actions.joining.decline import never_ask_again
from mailer.actions.joining.look_up import look_up_asked, look_up_token
from mailer.actions.joining.rejoin import rejoin
from mailer.actions.joining.unsubscribe import unsubscribe
from mailer.domain.consent import Evidence, Way
from mailer.domain.token import Purpose
from mailer.entrypoints.web.page import app_of, client_of, page, read_form

PURPOSES = {"confirm": Purpose.CONFIRM, "leave": Purpose.LEAVE, "rejoin": Purpose.REJOIN, "never": Purpose.NEVER}


async def show(request: Request) -> Response:
    """The page with the button; it changes nothing, so that link scanners may look."""
    way = request.path_params["way"]
    if way == "never":
        language = await look_up_asked(app_of(request), Purpose.NEVER, request.path_params["token"])
        return page(request, way, language, action=request.url.path)
    mailing_list, language = await look_up_token(app_of(request), PURPOSES[way], request.path_params["token"])
    return page(request, way, language, mailing_list=mailing_list, action=request.url.path)


async def post_confirm(request: Request) -> Response:
    """Yes; or never again."""
    app, token = app_of(request), request.path_params["token"]
    if (await read_form(request)).get("never") == "1":
        await never_ask_again(app, token, _evidence(request), purpose=Purpose.CONFIRM)
        return page(request, "declined")
    return page(request, "confirmed", mailing_list=await confirm(app, token, _evidence(request)))


async def post_never(request: Request) -> Response:
    """Never ask me again."""
    await never_ask_again(app_of(request), request.path_params["token"], _evidence(request))
    return page(request, "declined")


async def post_leave(request: Request) -> Response:
    """Leave: by the button, or in one click by a mail program (RFC 8058).

    The body is not even read: urlencoded, multipart or none, the wish is the same. No cookie, no redirect.
    """
    farewell = await unsubscribe(app_of(request), request.path_params["token"], _evidence(request))
    undo = f"/rejoin/{farewell.rejoin_token}"
    return page(request, "goodbye", mailing_list=farewell.mailing_list, undo_action=undo)


async def post_rejoin(request: Request) -> Response:
    """Undo a leaving."""
    mailing_list = await rejoin(app_of(request), request.path_params["token"], _evidence(request))
    return page(request, "rejoined", mailing_list=mailing_list)


def _evidence(request: Request) -> Evidence:
    kept = app_of(request).hearing.keep_client_address
    return Evidence(Way.LINK, {"client": client_of(request)} if kept else {})
