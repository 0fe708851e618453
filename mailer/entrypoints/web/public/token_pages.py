"""The pages behind personal links: confirm, leave, rejoin, never ask again. GET shows a button, POST acts."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from mailer.actions.subscriptions.confirm import confirm
from mailer.actions.subscriptions.decline import never_ask_again
from mailer.actions.subscriptions.look_up import look_up_opt_out, look_up_token
from mailer.actions.subscriptions.resubscribe import resubscribe
from mailer.actions.subscriptions.unsubscribe import unsubscribe
from mailer.domain.consent import Channel, Evidence
from mailer.domain.mailing_list import MailingList
from mailer.domain.subscription import SubscriptionState
from mailer.domain.token import NOBODY, Purpose, read_token
from mailer.entrypoints.web.responses import get_app, get_client_address, read_form, render_page, set_page_language

PURPOSES = {"confirm": Purpose.CONFIRM, "leave": Purpose.LEAVE, "rejoin": Purpose.REJOIN, "never": Purpose.NEVER}
_DONE_PAGES = {
    ("confirm", SubscriptionState.CONFIRMED): "confirmed",
    ("rejoin", SubscriptionState.CONFIRMED): "rejoined",
    ("leave", SubscriptionState.UNSUBSCRIBED): "goodbye",
}
"""The page that GET shows when the action has been done already."""


async def show_token_page(request: Request) -> Response:
    """Show the button, or the result if it was pressed already. Changes nothing, so link scanners may follow links."""
    way, token = request.path_params["way"], request.path_params["token"]
    if _is_of_test_letter(request, PURPOSES[way]):
        return render_page(request, "test_letter", is_view=False)
    action = _token_path(request, way, token)
    if way == "never":
        has_declined = await _has_declined(request, Purpose.NEVER)
        return render_page(request, "declined") if has_declined else render_page(request, way, action=action)
    token_info = await look_up_token(get_app(request), PURPOSES[way], token)
    set_page_language(request, token_info.language)
    is_lifting = way == "confirm" and not token_info.is_reached
    done_page = way if is_lifting else _DONE_PAGES.get((way, token_info.state), way)
    if done_page == "goodbye":
        return _goodbye_page(request, token_info.mailing_list, token_info.rejoin_token)
    return render_page(request, done_page, mailing_list=token_info.mailing_list, action=action)


async def post_confirm(request: Request) -> Response:
    """Confirm the subscription, or opt out of all further requests."""
    app, token = get_app(request), request.path_params["token"]
    await _has_declined(request, Purpose.CONFIRM)
    if (await read_form(request)).get("never") == "1":
        await never_ask_again(app, token, link_evidence(request), purpose=Purpose.CONFIRM)
        return render_page(request, "declined")
    return render_page(request, "confirmed", mailing_list=await confirm(app, token, link_evidence(request)))


async def post_never(request: Request) -> Response:
    """Opt out of all further requests."""
    await _has_declined(request, Purpose.NEVER)
    await never_ask_again(get_app(request), request.path_params["token"], link_evidence(request))
    return render_page(request, "declined")


async def post_leave(request: Request) -> Response:
    """Unsubscribe: by the button, or by one click in a mail program (RFC 8058).

    The body is not read: urlencoded, multipart or none, the request is the same. No cookie, no redirect.
    """
    if _is_of_test_letter(request, Purpose.LEAVE):
        return render_page(request, "test_letter", is_view=False)
    await _has_declined(request, Purpose.LEAVE)
    farewell = await unsubscribe(get_app(request), request.path_params["token"], link_evidence(request))
    return _goodbye_page(request, farewell.mailing_list, farewell.rejoin_token)


async def post_rejoin(request: Request) -> Response:
    """Subscribe again after leaving."""
    await _has_declined(request, Purpose.REJOIN)
    mailing_list = await resubscribe(get_app(request), request.path_params["token"], link_evidence(request))
    return render_page(request, "rejoined", mailing_list=mailing_list)


def _is_of_test_letter(request: Request, purpose: Purpose) -> bool:
    """Whether the token belongs to nobody, as those of test letters and previews do. Raises TokenRefused."""
    return read_token(get_app(request).site.keyring, purpose, request.path_params["token"]) == NOBODY


async def _has_declined(request: Request, purpose: Purpose) -> bool:
    """Whether the person named by the token has opted out; also sets the language of the response to theirs."""
    language, has_declined = await look_up_opt_out(get_app(request), purpose, request.path_params["token"])
    set_page_language(request, language)
    return has_declined


def _goodbye_page(request: Request, left: MailingList, rejoin_token: str | None) -> Response:
    undo = _token_path(request, "rejoin", rejoin_token) if rejoin_token else None
    return render_page(request, "goodbye", mailing_list=left, undo_action=undo)


def _token_path(request: Request, way: str, token: str) -> str:
    """The path of a personal page, with the path of the site in front."""
    return f"{get_app(request).site.path}/{way}/{token}"


def link_evidence(request: Request) -> Evidence:
    """That a link of a letter was followed, and from where, if such addresses are kept."""
    keep_address = get_app(request).hearing.keep_client_address
    return Evidence(Channel.LINK, {"client": get_client_address(request)} if keep_address else {})
