"""The hooks: where providers tell what came back. Their calls are answered in a word, and acted on before that."""

from __future__ import annotations

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from mailer.actions.inbound.process_provider_call import process_provider_call
from mailer.domain.provider_call import ProviderCall
from mailer.entrypoints.web.responses import get_app, get_client_address
from mailer.errors import (
    DatabaseUnavailable,
    FetchFailed,
    MailerError,
    ProviderCallInProgress,
    ProviderCallRefused,
    ProviderCallUnreadable,
)

_log = structlog.get_logger()

_STATUS_BY_ERROR: dict[type[MailerError], int] = {
    ProviderCallRefused: 403,
    ProviderCallUnreadable: 400,
    FetchFailed: 503,
    ProviderCallInProgress: 503,
    DatabaseUnavailable: 503,
}


async def post_provider_call(request: Request) -> Response:
    """200 once what is told is written down; 503 lets the provider come again."""
    app, provider = get_app(request), request.path_params["provider"]
    if provider not in app.providers:
        raise HTTPException(404)
    call = ProviderCall(provider=provider, body=await request.body(), headers=dict(request.headers))
    try:
        letters = await process_provider_call(app, call)
    except tuple(_STATUS_BY_ERROR) as trouble:
        status = next(code for kind, code in _STATUS_BY_ERROR.items() if isinstance(trouble, kind))
        _log.warning("hook", provider=provider, answered=status, why=str(trouble), client=get_client_address(request))
        return PlainTextResponse(f"{_response_text(status)}\n", status)
    if letters:
        _log.info("hook", provider=provider, letters=letters)
    return PlainTextResponse("ok\n")


def _response_text(status: int) -> str:
    """No more than this: whoever forges is not told by what it was seen."""
    return {403: "refused", 400: "unreadable"}.get(status, "come again")
