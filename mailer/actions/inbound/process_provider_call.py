"""A provider calls to tell what came back of our letters."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from mailer.actions.inbound.record_bounce import take_return
from mailer.app import App
from mailer.domain.delivery_feedback import CameBack
from mailer.domain.provider_call import ProvenCall, ProviderCall
from mailer.errors import CallRefused, CallUnreadable, NotFound
from mailer.mail.provider_events.event_builder import Telling
from mailer.mail.provider_events.json_access import read_json
from mailer.mail.provider_events.parse_events import read_call
from mailer.mail.provider_events.provider import Hook
from mailer.mail.provider_events.sns_message import CONFIRMATION, GOODBYE, open_envelope, verify
from mailer.mail.provider_events.verify_call import prove_call

_log = structlog.get_logger()

_AT_ONCE = 25
"""In one transaction: others want to write, too."""


async def hear_call(app: App, call: ProviderCall) -> int:
    """Prove a call, read it, and have written down what it tells; of how many letters it was.

    A call that was heard before is no error, and changes nothing. NotFound where the provider is not one of ours,
    CallRefused and CallUnreadable where it is at fault; FetchFailed, CallUnderway and DatabaseUnavailable where
    it must come again.
    """
    hook = app.hooks.get(call.provider)
    if hook is None:
        raise NotFound(f"no [[webhook]] table names {call.provider!r}")
    if call.provider == "ses":
        return await _hear_topic(app, hook, call)
    return await _hear_once(app, call, prove_call(hook, call, app.clock()))


async def _hear_topic(app: App, hook: Hook, call: ProviderCall) -> int:
    envelope = open_envelope(hook, call)
    certificate = await app.sns.certificate(envelope.certificate_url, envelope.host)
    proven = verify(envelope, certificate, app.clock())
    topic = envelope.fields["TopicArn"]
    if envelope.kind == CONFIRMATION:
        await app.sns.confirm(envelope.confirmation_url, envelope.host)
        _log.info("subscribed", topic=topic)
        return 0
    if envelope.kind == GOODBYE:
        _log.warning("unsubscribed by somebody", topic=topic)
        return 0
    try:
        said = read_json(proven.said)
    except CallUnreadable:
        # What people, and SES when it is set up, write to a topic.
        said = None
    return await _hear_once(app, call, ProvenCall(name=proven.name, said=said))


async def _hear_once(app: App, call: ProviderCall, proven: ProvenCall) -> int:
    if not app.known_calls.claim(proven.name, call.body, app.clock()):
        return 0
    try:
        telling = Telling(provider=call.provider, house=app.house, now=app.clock())
        came_backs = _of_now(proven, await asyncio.to_thread(read_call, proven, telling))
        starts = range(0, len(came_backs), _AT_ONCE)
        letters = sum([await take_return(app, came_backs[start : start + _AT_ONCE]) for start in starts])
    except BaseException:
        app.known_calls.forget(proven.name)
        raise
    app.known_calls.done(proven.name)
    return letters


def _of_now(proven: ProvenCall, told: Sequence[CameBack]) -> list[CameBack]:
    """Without what happened so long ago that the provider would have told it before; CallRefused if nothing is left."""
    kept = [one for one in told if proven.not_before is None or one.at >= proven.not_before]
    if len(kept) < len(told):
        _log.warning("told of what is long ago", call=proven.name, events=len(told) - len(kept))
    if told and not kept:
        raise CallRefused("all that it tells of is too long ago")
    return kept
