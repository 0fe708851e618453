"""Acting on the reply to "do you want to join?": it confirms, declines, or does neither."""

from __future__ import annotations

import asyncio

from sqlalchemy import Connection

from mailer.actions.inbound.inbound_request import InboundRequest
from mailer.actions.subscriptions.confirm import confirm
from mailer.actions.subscriptions.decline import decline, never_ask_again
from mailer.app import App
from mailer.domain.delivery import Kind, Notice
from mailer.domain.subscription import may_confirm
from mailer.domain.token import Purpose, read_token
from mailer.mail.inbound.yes_no_reply import Answer, parse_confirm_answer
from mailer.store import mailing_lists, subscriptions
from mailer.store.queue import deliveries


async def confirm_by_token(app: App, request: InboundRequest) -> Answer:
    """Act on the answer in a mail to a confirmation address, and return the answer.

    An answer that is neither yes nor no changes nothing; a letter then asks once more, once for each request and only
    if the mail may be replied to. A mail that a program may have sent has to say yes in words: a blank one does not
    confirm. Raises TokenRefused, NotFound, and NothingPending if the answer is yes but the request is declined,
    withdrawn or too old.
    """
    token = request.address.token or ""
    # In a thread: a text written to be slow takes a fifth of a second.
    answer = await asyncio.to_thread(parse_confirm_answer, request.mail, app.vocabulary)
    if answer is Answer.YES and request.mail.ambiguous_mark and not request.mail.reply_text:
        answer = Answer.NEITHER
    if answer is Answer.YES:
        await confirm(app, token, request.evidence)
    elif answer is Answer.NO:
        await decline(app, token, request.evidence)
    elif answer is Answer.NEVER:
        await never_ask_again(app, token, request.evidence, purpose=Purpose.CONFIRM)
    elif request.may_reply:
        await app.database.write(_ask_again, app, read_token(app.site.keyring, Purpose.CONFIRM, token))
    return answer


def _ask_again(tx: Connection, app: App, subscription_id: int) -> None:
    """Add the notice that explains how to confirm, unless the request is no longer pending."""
    subscription = subscriptions.get(tx, subscription_id)
    if not may_confirm(subscription, app.clock()):
        return
    mailing_list = mailing_lists.get(tx, subscription.mailing_list_id)
    notice = Notice(
        kind=Kind.UNCLEAR_ANSWER,
        address=subscription.address,
        suppression_key=subscription.suppression_key,
        language=app.language(subscription.requested_language, subscription.language, mailing_list.language),
        mailing_list_id=mailing_list.id,
        subscription_id=subscription.id,
        values={"replied": True},
        cause=f"unclear {subscription.id} {subscription.asked_at}",
    )
    deliveries.add_notice(tx, notice, app.clock())
