"""The hooks: where providers tell what came back. Their calls are answered in a word, and acted on before that."""

from __future__ import annotations

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from mailer.actions.inbound.process_provider_call import hear_call
from mailer.domain.provider_call import ProviderCall
from mailer.entrypoints.web.responses import app_of, client_of
from mailer.errors import CallRefused, CallUnderway, CallUnreadable, DatabaseUnavailable, FetchFailed, MailerError

_log = structlog.get_logger()

_STATUS: dict[type[MailerError], int] = {
    CallRefused: 403,
    CallUnreadable: 400,
    FetchFailed: 503,
    CallUnderway: 503,
    DatabaseUnavailable: 503,
}


async def post_hook(request: Request) -> Response:
    """200 once what is told is written down; 503 lets the provider come again."""
    app, provider = app_of(request), request.path_params["provider"]
    if provider not in app.hooks:
        raise HTTPException(404)
    call = ProviderCall(provider=provider, body=await request.body(), headers=dict(request.headers))
    try:
        letters = await hear_call(app, call)
    except tuple(_STATUS) as trouble:
        status = next(code for kind, code in _STATUS.items() if isinstance(trouble, kind))
        _log.warning("hook", provider=provider, answered=status, why=str(trouble), client=client_of(request))
        return PlainTextResponse(f"{_word(status)}\n", status)
    if letters:
        _log.info("hook", provider=provider, letters=letters)
    return PlainTextResponse("ok\n")


def _word(status: int) -> str:
    """No more than this: whoever forges is not told by what it was seen."""
    return {403: "refused", 400: "unreadable"}.get(status, "come again")
