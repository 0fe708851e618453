"""Acting on the mails that came in, in their order: each is read, its sender authenticated, its commands run."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from mailer.actions.inbound.forward_to_owner import forward_to_owner
from mailer.actions.inbound.process_request import final_state, process_request
from mailer.actions.inbound.read_mail import InboundFeedback, ReadMail, read_as_request, read_mail
from mailer.actions.inbound.record_bounce import record_feedback
from mailer.actions.subscriptions.legacy_links import send_leave_links_by_form
from mailer.actions.subscriptions.subscribe import subscribe_by_form
from mailer.app import App
from mailer.domain.bounce import FeedbackKind
from mailer.domain.command_address import Command
from mailer.errors import DatabaseUnavailable, NotFound
from mailer.store import incoming_mails
from mailer.store.incoming_mails import IncomingState, StoredMessage
from mailer.store.spool import delete_message_file

_log = structlog.get_logger()

BATCH_SIZE = 20
"""Mails whose senders are authenticated at the same time: DNS answers take a while."""


async def process_incoming_mails(app: App, limit: int = BATCH_SIZE) -> bool:
    """Act on up to `limit` of the oldest waiting mails; True if there were any and all went well.

    1. Count a try of each, so that a mail whose processing fails again and again is parked in the end.
    2. Read and authenticate all of them at the same time.
    3. Act on each in turn. A failure is logged and does not keep the mails behind it waiting.

    Acting on a mail again after a crash changes nothing more. Raises DatabaseUnavailable.
    """
    if not await app.database.read(incoming_mails.any_waiting):
        return False
    taken = await app.database.write(incoming_mails.take_waiting, limit, app.interrupted_mails)
    app.interrupted_mails.clear()
    app.interrupted_mails.update(stored.id for stored in taken)
    results = await asyncio.gather(*(read_mail(app, stored) for stored in taken), return_exceptions=True)
    all_well = bool(taken)
    for stored, result in zip(taken, results, strict=True):
        try:
            if isinstance(result, BaseException):
                raise result
            state = await _process_mail(app, stored, result)
            await app.database.write(incoming_mails.finish, stored.id, state, result.raw, app.clock())
            await delete_message_file(app.intake.spool, stored.message)
        except DatabaseUnavailable:
            raise
        except Exception:  # of any kind: it must not keep the mails behind it waiting
            _log.exception("failed to process mail", mail=stored.id)
            all_well = False
        app.interrupted_mails.discard(stored.id)
    return all_well


async def _process_mail(app: App, stored: StoredMessage, read: ReadMail) -> IncomingState:
    """Act on a mail or form for each of its recipients; the new state of its row."""
    if stored.message.form:
        with suppress(NotFound):  # the list has been deleted since
            process_form = send_leave_links_by_form if stored.message.form.get("leave") else subscribe_by_form
            await process_form(app, stored.message)
        return IncomingState.DONE
    states = []
    for content in read.contents:
        if isinstance(content, InboundFeedback):
            states.append(await _process_feedback(app, content))
        else:
            states.append(await process_request(app, content))
    return final_state(states)


async def _process_feedback(app: App, feedback: InboundFeedback) -> IncomingState:
    """Record a bounce or a complaint; forward any other mail to a role address, and what a person should read.

    Auto-replies and receipts to a return path change nothing. A mail that is not understood is kept for a while.
    """
    match = feedback.match
    recorded = match.feedback is not None and await record_feedback(app, [match.feedback]) > 0
    _log.info("accepted feedback", mail=feedback.stored.id, kind=match.kind, recorded=recorded)
    if not recorded and (feedback.address.command is Command.ROLE or match.needs_human):
        return await forward_to_owner(app, await read_as_request(app, feedback))
    is_auto_reply = match.kind is FeedbackKind.AUTO_REPLY and feedback.is_automatic
    understood = is_auto_reply or match.kind in {FeedbackKind.BOUNCE, FeedbackKind.DELAY, FeedbackKind.RECEIPT}
    return IncomingState.DONE if recorded or understood else IncomingState.KEPT
