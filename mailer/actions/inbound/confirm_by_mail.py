"""A mail that answers "do you want to join?": it agrees, declines, or says neither."""

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
    """Do what the answer says, and return it; what it was taken for.

    One that says neither changes nothing: where it may be answered, a letter asks once more, once for each request.
    A mail that a program may have sent agrees only in words. TokenRefused, NotFound; NothingPending where it agrees
    to a request that is declined, withdrawn or too old.
    """
    token = request.address.token or ""
    # Not in the loop: a text made for it takes a fifth of a second.
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
    """Write how to confirm to the address that was asked about, unless nothing waits to be confirmed any more."""
    asked = subscriptions.get(tx, subscription_id)
    if not may_confirm(asked, app.clock()):
        return
    mailing_list = mailing_lists.get(tx, asked.mailing_list_id)
    notice = Notice(
        kind=Kind.UNCLEAR_ANSWER,
        address=asked.address,
        suppression_key=asked.suppression_key,
        language=app.language(asked.requested_language, asked.language, mailing_list.language),
        mailing_list_id=mailing_list.id,
        subscription_id=asked.id,
        values={"replied": True},
        cause=f"unclear {asked.id} {asked.asked_at}",
    )
    deliveries.add_notice(tx, notice, app.clock())
