"""A mail to an address for leaving that one reader alone was given: an order, or the answer to a question."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from enum import StrEnum

import structlog
from sqlalchemy import Connection

from mailer.actions.inbound.inbound_request import Asking
from mailer.actions.subscriptions.unsubscribe import unsubscribe
from mailer.app import App
from mailer.domain.delivery import Kind
from mailer.domain.token import Purpose, read_one_of
from mailer.mail.inbound.yes_no_reply import Answer, answer_about_leaving
from mailer.store import subscriptions
from mailer.store.queue import deliveries

_log = structlog.get_logger()

_ANSWERED_WITHIN = timedelta(days=30)
"""For so long mail programs and people answer a letter, if they ever do."""


class Leaving(StrEnum):
    """What came of such a mail."""

    LEFT = "left"
    STAYED = "stayed"
    UNCLEAR = "unclear"
    """A person's own words, that say neither: somebody should read them."""


async def leave_by_token(app: App, asking: Asking) -> Leaving:
    """Take the reader off the list whose token the address has; TokenRefused, NotFound.

    The token of List-Unsubscribe is an order, for a mail program may send it by itself (RFC 2369). That of the letter
    which asks "do you want to leave?" only says whom the answer is of: a robot's changes nothing, and a person's counts
    if it clearly says so, or nothing at all above our own words.
    """
    token = asking.to.token or ""
    purpose, number = read_one_of(app.house.keyring, (Purpose.LEAVE, Purpose.LEAVE_REPLY), token)
    if purpose is Purpose.LEAVE_REPLY or await _answers_old_question(app, asking, number):
        if asking.heard.automatic:
            _log.info("a robot answers whether somebody wants to leave", incoming=asking.mail_id)
            return Leaving.STAYED
        answer = await _answer(app, asking)
        if answer is not Answer.YES or (asking.heard.doubtful and not asking.heard.own_words):
            return Leaving.STAYED if answer is Answer.NO else Leaving.UNCLEAR
    await unsubscribe(app, token, asking.evidence, purpose=purpose)
    return Leaving.LEFT


async def _answers_old_question(app: App, asking: Asking, subscription_id: int) -> bool:
    """Whether it answers a question that 0.3.0 asked, whose Reply-To was the address that List-Unsubscribe names."""
    heard = asking.heard
    if not (heard.automatic or heard.doubtful or heard.is_reply or await _answer(app, asking) is Answer.NO):
        return False
    since = app.clock() - _ANSWERED_WITHIN

    def work(tx: Connection) -> bool:
        reader = subscriptions.get(tx, subscription_id)
        past = deliveries.notice_values(tx, reader.suppression_key, Kind.LEAVING, reader.id, since)
        return any("reply_token" not in values for values in past)

    return await app.database.read(work)


async def _answer(app: App, asking: Asking) -> Answer:
    # Not in the loop: a text made for it takes a fifth of a second.
    return await asyncio.to_thread(answer_about_leaving, asking.heard, app.templates.vocabulary)
