"""A mail to an address for leaving that one reader alone was given: an order, or the answer to a question."""

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
"""For so long mail programs and people answer a letter, if they ever do."""


class UnsubscribeByMailResult(StrEnum):
    """What came of such a mail."""

    LEFT = "left"
    STAYED = "stayed"
    UNCLEAR = "unclear"
    """A person's own words, that say neither: somebody should read them."""


async def unsubscribe_by_token(app: App, request: InboundRequest) -> UnsubscribeByMailResult:
    """Take the reader off the list whose token the address has; TokenRefused, NotFound.

    The token of List-Unsubscribe is an order, for a mail program may send it by itself (RFC 2369). That of the letter
    which asks "do you want to leave?" only says whom the answer is of: a robot's changes nothing, and a person's counts
    if it clearly says so, or nothing at all above our own words.
    """
    token = request.address.token or ""
    purpose, number = read_any_token(app.site.keyring, (Purpose.LEAVE, Purpose.LEAVE_REPLY), token)
    if purpose is Purpose.LEAVE_REPLY or await _answers_old_question(app, request, number):
        if request.mail.automatic_mark:
            _log.info("a robot answers whether somebody wants to leave", incoming=request.mail_id)
            return UnsubscribeByMailResult.STAYED
        answer = await _parse_answer(app, request)
        if answer is not Answer.YES or (request.mail.ambiguous_mark and not request.mail.reply_text):
            return UnsubscribeByMailResult.STAYED if answer is Answer.NO else UnsubscribeByMailResult.UNCLEAR
    await unsubscribe(app, token, request.evidence, purpose=purpose)
    return UnsubscribeByMailResult.LEFT


async def _answers_old_question(app: App, request: InboundRequest, subscription_id: int) -> bool:
    """Whether it answers a question that 0.3.0 asked, whose Reply-To was the address that List-Unsubscribe names."""
    heard = request.mail
    if not (
        heard.automatic_mark or heard.ambiguous_mark or heard.is_reply or await _parse_answer(app, request) is Answer.NO
    ):
        return False
    since = app.clock() - _REPLY_PERIOD

    def work(tx: Connection) -> bool:
        reader = subscriptions.get(tx, subscription_id)
        past = deliveries.list_notice_values(tx, reader.suppression_key, Kind.CONFIRM_LEAVING, reader.id, since)
        return any("reply_token" not in values for values in past)

    return await app.database.read(work)


async def _parse_answer(app: App, request: InboundRequest) -> Answer:
    # Not in the loop: a text made for it takes a fifth of a second.
    return await asyncio.to_thread(parse_leave_answer, request.mail, app.vocabulary)
