"""A provider calls to tell what came back of our letters."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from mailer.actions.inbound.record_bounce import record_feedback
from mailer.app import App
from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.domain.provider_call import ProviderCall, VerifiedCall
from mailer.errors import NotFound, ProviderCallRefused, ProviderCallUnreadable
from mailer.mail.provider_events.event_builder import EventBuilder
from mailer.mail.provider_events.json_access import read_json
from mailer.mail.provider_events.parse_events import parse_events
from mailer.mail.provider_events.provider import Provider
from mailer.mail.provider_events.sns_message import (
    SUBSCRIPTION_CONFIRMATION,
    UNSUBSCRIBE_CONFIRMATION,
    parse_sns_message,
    verify_sns_message,
)
from mailer.mail.provider_events.verify_call import verify_call

_log = structlog.get_logger()

_BATCH_SIZE = 25
"""In one transaction: others want to write, too."""


async def process_provider_call(app: App, call: ProviderCall) -> int:
    """Prove a call, read it, and have written down what it tells; of how many letters it was.

    A call that was heard before is no error, and changes nothing. NotFound where the provider is not one of ours,
    CallRefused and CallUnreadable where it is at fault; FetchFailed, CallUnderway and DatabaseUnavailable where
    it must come again.
    """
    hook = app.providers.get(call.provider)
    if hook is None:
        raise NotFound(f"no [[provider]] table names {call.provider!r}")
    if call.provider == "ses":
        return await _process_sns_call(app, hook, call)
    return await _process_once(app, call, verify_call(hook, call, app.clock()))


async def _process_sns_call(app: App, hook: Provider, call: ProviderCall) -> int:
    message = parse_sns_message(hook, call)
    certificate = await app.sns.fetch_certificate(message.certificate_url, message.host)
    verified = verify_sns_message(message, certificate, app.clock())
    topic = message.fields["TopicArn"]
    if message.kind == SUBSCRIPTION_CONFIRMATION:
        await app.sns.confirm_subscription(message.confirmation_url, message.host)
        _log.info("subscribed", topic=topic)
        return 0
    if message.kind == UNSUBSCRIBE_CONFIRMATION:
        _log.warning("unsubscribed by somebody", topic=topic)
        return 0
    try:
        payload = read_json(verified.payload)
    except ProviderCallUnreadable:
        # What people, and SES when it is set up, write to a topic.
        payload = None
    return await _process_once(app, call, VerifiedCall(dedup_key=verified.dedup_key, payload=payload))


async def _process_once(app: App, call: ProviderCall, verified: VerifiedCall) -> int:
    if not app.known_calls.claim(verified.dedup_key, call.body, app.clock()):
        return 0
    try:
        builder = EventBuilder(provider=call.provider, house=app.site, now=app.clock())
        feedback = _drop_old_events(verified, await asyncio.to_thread(parse_events, verified, builder))
        starts = range(0, len(feedback), _BATCH_SIZE)
        letters = sum([await record_feedback(app, feedback[start : start + _BATCH_SIZE]) for start in starts])
    except BaseException:
        app.known_calls.forget(verified.dedup_key)
        raise
    app.known_calls.mark_done(verified.dedup_key)
    return letters


def _drop_old_events(verified: VerifiedCall, feedback: Sequence[DeliveryFeedback]) -> list[DeliveryFeedback]:
    """Without what happened so long ago that the provider would have told it before; CallRefused if nothing is left."""
    kept = [one for one in feedback if verified.not_before is None or one.at >= verified.not_before]
    if len(kept) < len(feedback):
        _log.warning("told of what is long ago", call=verified.dedup_key, events=len(feedback) - len(kept))
    if feedback and not kept:
        raise ProviderCallRefused("all that it tells of is too long ago")
    return kept
