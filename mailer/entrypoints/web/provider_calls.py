"""POST /hooks/PROVIDER: providers' calls with bounce and complaint events, recorded before they are answered."""

from __future__ import annotations

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from mailer.actions.inbound.process_provider_call import process_provider_call
from mailer.domain.provider_call import ProviderCall
from mailer.entrypoints.web.responses import get_app, get_client_address
from mailer.error_kind import ErrorKind
from mailer.errors import MailerError

_log = structlog.get_logger()

_STATUS_BY_KIND = {
    ErrorKind.REFUSED: 403,
    ErrorKind.UNPROCESSABLE: 400,
    ErrorKind.UNAVAILABLE: 503,
    ErrorKind.MISCONFIGURED: 503,
}


async def post_provider_call(request: Request) -> Response:
    """Answer 200 once the events are recorded; 503 makes the provider repeat the call later."""
    app, provider = get_app(request), request.path_params["provider"]
    if provider not in app.providers:
        raise HTTPException(404)
    call = ProviderCall(provider=provider, body=await request.body(), headers=dict(request.headers))
    try:
        letters = await process_provider_call(app, call)
    except MailerError as error:
        if error.kind not in _STATUS_BY_KIND:
            raise
        status = _STATUS_BY_KIND[error.kind]
        event = "failed to process provider call" if status == 503 else "refused provider call"
        _log.warning(event, provider=provider, status=status, error=str(error), client=get_client_address(request))
        return PlainTextResponse(f"{_response_text(status)}\n", status)
    if letters:
        _log.info("accepted provider call", provider=provider, letters=letters)
    return PlainTextResponse("ok\n")


def _response_text(status: int) -> str:
    """The whole answer: it does not tell a forger why the call was refused; the log does."""
    return {403: "refused", 400: "unreadable"}.get(status, "come again")
