"""The stream of a campaign's live numbers: server-sent events, once a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from mailer.actions.accounts.sessions import find_session, organiser_actor
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.entrypoints.web.console.live_snapshots import MOST_WATCHERS, LiveSnapshots, live_snapshots
from mailer.entrypoints.web.console.pages import CONSOLE_HEADERS, actor, campaign_of, formatter
from mailer.entrypoints.web.console.session_cookie import SESSION, read_cookie
from mailer.entrypoints.web.responses import get_app
from mailer.errors import MailerError

_log = structlog.get_logger()

_SESSION_CHECKED_EVERY = 5
"""After so many snapshots it is asked again whether the session stands and may see the campaign."""
_HEADERS = CONSOLE_HEADERS | {"X-Accel-Buffering": "no"}  # nginx would gather events before it sends them
_END = "event: done\ndata: over\n\n"


async def stream_live(request: Request) -> Response:
    """Send a snapshot each second; `done` once nothing changes any more, or the session is over."""
    campaign_id, snapshots = campaign_of(request), live_snapshots(request)
    first = await snapshots.get(campaign_id)
    actor(request).require(Permission.READ, first.status.mailing_list.id)
    if request.method == "HEAD":
        return Response(media_type="text/event-stream", headers=_HEADERS)
    if snapshots.watchers >= MOST_WATCHERS:
        raise HTTPException(503, headers={"Retry-After": "60"})
    events = _events(request, snapshots, campaign_id, first.status.mailing_list.id)
    return StreamingResponse(events, media_type="text/event-stream", headers=_HEADERS)


async def _events(
    request: Request, snapshots: LiveSnapshots, campaign_id: int, mailing_list_id: int
) -> AsyncIterator[str]:
    app, sent, number = get_app(request), "", 0
    who: Actor | None = actor(request)
    with snapshots.watching():
        yield "retry: 3000\n\n"
        try:
            while who is not None and not app.wakeups.closing.is_set():
                snapshot = await snapshots.get(campaign_id)
                sees_people = who.may(Permission.SEE_PEOPLE, mailing_list_id)
                numbers = snapshot.numbers(app, formatter(request), sees_people=sees_people)
                if numbers != sent:
                    sent = numbers
                    yield f"data: {numbers}\n\n"
                if snapshot.status.is_over:
                    break
                await app.wakeups.run_unless_closing(asyncio.sleep(snapshot.rest_s))
                number += 1
                who = who if number % _SESSION_CHECKED_EVERY else await _who_watches(request, mailing_list_id)
        except MailerError as error:
            # The browser asks again in three seconds, and is told then.
            _log.warning("stopped live numbers", campaign=campaign_id, error=str(error))
            return
        # While the service restarts, the browser is to come back.
        if not app.wakeups.closing.is_set():
            yield _END


async def _who_watches(request: Request, mailing_list_id: int) -> Actor | None:
    """Whose session this still is; None if it is over, or may not see the list any more."""
    app = get_app(request)
    session = await find_session(app, read_cookie(request, app.site, SESSION))
    who = organiser_actor(session) if session is not None else None
    return who if who is not None and who.may(Permission.READ, mailing_list_id) else None
