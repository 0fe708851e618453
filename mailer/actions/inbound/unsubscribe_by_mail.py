"""Acting on a mail to an unsubscribe address with a token: an unsubscribe request, or the answer to a question."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from enum import StrEnum

import structlog
from sqlalchemy import Connection

from mailer.actions.inbound.inbound_request import InboundRequest
from mailer.actions.subscriptions.unsubscribe import unsubscribe
from mailer.app import App
from mailer.domain.delivery import Kind
from mailer.domain.token import Purpose, read_any_token
from mailer.mail.inbound.yes_no_reply import Answer, parse_leave_answer
from mailer.store import subscriptions
from mailer.store.queue import deliveries

_log = structlog.get_logger()

_REPLY_PERIOD = timedelta(days=30)
"""How long after a letter an answer to it is expected."""


class UnsubscribeByMailResult(StrEnum):
    """The outcome of such a mail."""

    LEFT = "left"
    STAYED = "stayed"
    UNCLEAR = "unclear"
    """The answer is neither yes nor no: the owner should read it."""


async def unsubscribe_by_token(app: App, request: InboundRequest) -> UnsubscribeByMailResult:
    """End the subscription that the token of the address names, if the mail asks for it.

    A mail to the address in List-Unsubscribe always does: mail programs send it by themselves (RFC 2369). A mail to the
    Reply-To of the letter that asks "do you want to leave?" does if a person wrote it, and it says yes or contains
    nothing but a quote of our letter. Raises TokenRefused, NotFound.
    """
    token = request.address.token or ""
    purpose, number = read_any_token(app.site.keyring, (Purpose.LEAVE, Purpose.LEAVE_REPLY), token)
    if purpose is Purpose.LEAVE_REPLY or await _answers_old_question(app, request, number):
        if request.mail.automatic_mark:
            _log.info("skipped automatic answer to an unsubscribe question", mail=request.mail_id)
            return UnsubscribeByMailResult.STAYED
        answer = await _parse_answer(app, request)
        if answer is not Answer.YES or (request.mail.ambiguous_mark and not request.mail.reply_text):
            return UnsubscribeByMailResult.STAYED if answer is Answer.NO else UnsubscribeByMailResult.UNCLEAR
    await unsubscribe(app, token, request.evidence, purpose=purpose)
    return UnsubscribeByMailResult.LEFT


async def _answers_old_question(app: App, request: InboundRequest, subscription_id: int) -> bool:
    """Whether the mail answers such a letter of version 0.3.0, whose Reply-To was the address in List-Unsubscribe."""
    mail = request.mail
    may_be_answer = mail.automatic_mark or mail.ambiguous_mark or mail.is_reply
    if not may_be_answer and await _parse_answer(app, request) is not Answer.NO:
        return False
    since = app.clock() - _REPLY_PERIOD

    def work(tx: Connection) -> bool:
        subscription = subscriptions.get(tx, subscription_id)
        past = deliveries.list_notice_values(
            tx, subscription.suppression_key, Kind.CONFIRM_LEAVING, subscription.id, since
        )
        return any("reply_token" not in values for values in past)

    return await app.database.read(work)


async def _parse_answer(app: App, request: InboundRequest) -> Answer:
    # In a thread: a text written to be slow takes a fifth of a second.
    return await asyncio.to_thread(parse_leave_answer, request.mail, app.vocabulary)
