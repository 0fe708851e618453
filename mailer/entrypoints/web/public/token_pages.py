"""The pages behind personal links: confirm, leave, come back, never be asked. GET shows one button; POST acts."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from mailer.actions.subscriptions.confirm import confirm
from mailer.actions.subscriptions.decline import never_ask_again
from mailer.actions.subscriptions.look_up import look_up_asked, look_up_token
from mailer.actions.subscriptions.resubscribe import rejoin
from mailer.actions.subscriptions.unsubscribe import unsubscribe
from mailer.domain.consent import Evidence, Way
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import SubscriptionState
from mailer.domain.token import Purpose
from mailer.entrypoints.web.responses import app_of, client_of, page, read_form, speak

PURPOSES = {"confirm": Purpose.CONFIRM, "leave": Purpose.LEAVE, "rejoin": Purpose.REJOIN, "never": Purpose.NEVER}
_DONE = {
    ("confirm", SubscriptionState.CONFIRMED): "confirmed",
    ("rejoin", SubscriptionState.CONFIRMED): "rejoined",
    ("leave", SubscriptionState.UNSUBSCRIBED): "goodbye",
}
"""The pages of those whose button was pressed already."""


async def show(request: Request) -> Response:
    """The page with the button, or what it has done already; it changes nothing, so that link scanners may look."""
    way, token = request.path_params["way"], request.path_params["token"]
    action = _action(request, way, token)
    if way == "never":
        said = await _said_never(request, Purpose.NEVER)
        return page(request, "declined") if said else page(request, way, action=action)
    named = await look_up_token(app_of(request), PURPOSES[way], token)
    speak(request, named.language)
    done = _DONE.get((way, named.state), way)
    if done == "goodbye":
        return _goodbye(request, named.mailing_list, named.rejoin_token)
    return page(request, done, mailing_list=named.mailing_list, action=action)


async def post_confirm(request: Request) -> Response:
    """Yes; or never again."""
    app, token = app_of(request), request.path_params["token"]
    await _said_never(request, Purpose.CONFIRM)
    if (await read_form(request)).get("never") == "1":
        await never_ask_again(app, token, _evidence(request), purpose=Purpose.CONFIRM)
        return page(request, "declined")
    return page(request, "confirmed", mailing_list=await confirm(app, token, _evidence(request)))


async def post_never(request: Request) -> Response:
    """Never ask me again."""
    await _said_never(request, Purpose.NEVER)
    await never_ask_again(app_of(request), request.path_params["token"], _evidence(request))
    return page(request, "declined")


async def post_leave(request: Request) -> Response:
    """Leave: by the button, or in one click by a mail program (RFC 8058).

    The body is not even read: urlencoded, multipart or none, the wish is the same. No cookie, no redirect.
    """
    await _said_never(request, Purpose.LEAVE)
    farewell = await unsubscribe(app_of(request), request.path_params["token"], _evidence(request))
    return _goodbye(request, farewell.mailing_list, farewell.rejoin_token)


async def post_rejoin(request: Request) -> Response:
    """Undo a leaving."""
    await _said_never(request, Purpose.REJOIN)
    mailing_list = await rejoin(app_of(request), request.path_params["token"], _evidence(request))
    return page(request, "rejoined", mailing_list=mailing_list)


async def _said_never(request: Request, purpose: Purpose) -> bool:
    """Whether the person a token names wants nothing any more; all that is answered is in their language."""
    language, said = await look_up_asked(app_of(request), purpose, request.path_params["token"])
    speak(request, language)
    return said


def _goodbye(request: Request, left: MailingList, rejoin_token: str | None) -> Response:
    undo = _action(request, "rejoin", rejoin_token) if rejoin_token else None
    return page(request, "goodbye", mailing_list=left, undo_action=undo)


def _action(request: Request, way: str, token: str) -> str:
    """The path of a personal page, as browsers see it from outside."""
    return f"{app_of(request).house.path}/{way}/{token}"


def _evidence(request: Request) -> Evidence:
    kept = app_of(request).hearing.keep_client_address
    return Evidence(Way.LINK, {"client": client_of(request)} if kept else {})
