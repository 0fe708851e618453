"""Processing a provider's call: verify it, parse its events, record the bounces and complaints in them."""

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
"""Events in one transaction, so that other writers do not wait long."""


async def process_provider_call(app: App, call: ProviderCall) -> int:
    """Verify a call, parse it and record its events; returns the number of letters that they are about.

    A call that was processed before changes nothing and returns 0. Raises NotFound where no table names the provider,
    ProviderCallRefused and ProviderCallUnreadable for a call that must not come again, and FetchFailed,
    ProviderCallInProgress and DatabaseUnavailable for one that the provider should repeat.
    """
    provider = app.providers.get(call.provider)
    if provider is None:
        raise NotFound(f"no [[provider]] table names {call.provider!r}")
    if call.provider == "ses":
        return await _process_sns_call(app, provider, call)
    return await _process_once(app, call, verify_call(provider, call, app.clock()))


async def _process_sns_call(app: App, provider: Provider, call: ProviderCall) -> int:
    message = parse_sns_message(provider, call)
    certificate = await app.sns.fetch_certificate(message.certificate_url, message.host)
    verified = verify_sns_message(message, certificate, app.clock())
    topic = message.fields["TopicArn"]
    if message.kind == SUBSCRIPTION_CONFIRMATION:
        await app.sns.confirm_subscription(message.confirmation_url, message.host)
        _log.info("accepted SNS subscription", topic=topic)
        return 0
    if message.kind == UNSUBSCRIBE_CONFIRMATION:
        _log.warning("stopped SNS subscription", topic=topic)
        return 0
    try:
        payload = read_json(verified.payload)
    except ProviderCallUnreadable:
        # Text that is no event: SES writes such a message to a new topic, and people may.
        payload = None
    return await _process_once(app, call, VerifiedCall(dedup_key=verified.dedup_key, payload=payload))


async def _process_once(app: App, call: ProviderCall, verified: VerifiedCall) -> int:
    if not app.known_calls.claim(verified.dedup_key, call.body, app.clock()):
        return 0
    try:
        builder = EventBuilder(provider=call.provider, site=app.site, now=app.clock())
        feedback = _drop_old_events(verified, await asyncio.to_thread(parse_events, verified, builder))
        starts = range(0, len(feedback), _BATCH_SIZE)
        letters = sum([await record_feedback(app, feedback[start : start + _BATCH_SIZE]) for start in starts])
    except BaseException:
        app.known_calls.forget(verified.dedup_key)
        raise
    app.known_calls.mark_done(verified.dedup_key)
    return letters


def _drop_old_events(verified: VerifiedCall, feedback: Sequence[DeliveryFeedback]) -> list[DeliveryFeedback]:
    """The feedback without events older than `not_before`; raises ProviderCallRefused where none is left."""
    kept = [one for one in feedback if verified.not_before is None or one.at >= verified.not_before]
    if len(kept) < len(feedback):
        _log.warning("skipped old provider events", call=verified.dedup_key, events=len(feedback) - len(kept))
    if feedback and not kept:
        raise ProviderCallRefused("all its events are too old")
    return kept
