"""A person's mail is carried to who answers for a list, or for the service."""

from __future__ import annotations

import re

from sqlalchemy import Connection

from mailer.actions.inbound.inbound_request import InboundRequest
from mailer.app import App
from mailer.domain.abuse_limits import DAY, CounterKind
from mailer.domain.command_address import Command, parse_local_part
from mailer.domain.delivery import Kind, Notice, forwarding_cause
from mailer.domain.mailing_list import MailingList
from mailer.store import counters, incoming_mails, mailing_lists
from mailer.store.incoming_mails import IncomingState
from mailer.store.queue import deliveries

_MAX_AUTOMATIC_PER_DAY = 200
"""Mails a day that a program may have sent, to the owner of one list: where one goes in circles, it ends here."""
_OWNER_COMMANDS = {Command.OWNER, Command.ROLE, Command.COMPLAINT}


async def forward_to_owner(app: App, request: InboundRequest) -> IncomingState:
    """Carry the mail, wrapped, so that it comes from us and an answer goes to who wrote; KEPT where it might go round.

    Its octets stand in its row when the letter does. Raises NotFound for an unknown list.
    """

    def work(tx: Connection) -> bool:
        mailing_list = mailing_lists.get_by_name(tx, request.list_name) if request.address.list_name else None
        owner = mailing_list.owner if mailing_list else app.site.owner
        if _may_loop(tx, app, request, owner):
            return False
        deliveries.add_notice(tx, _make_notice(app, request, mailing_list), app.clock())
        incoming_mails.store_raw(tx, request.mail_id, request.message.raw)
        return True

    carried = await app.database.write(work)
    return IncomingState.FORWARDED if carried else IncomingState.KEPT


def _make_notice(app: App, request: InboundRequest, mailing_list: MailingList | None) -> Notice:
    return app.notice_to_owner(
        Kind.FORWARDED,
        mailing_list,
        {
            "sender": request.sender.addr_spec if request.sender else None,
            "subject": request.mail.subject,
            "recipient": request.recipient,
            "incoming": request.mail_id,
        },
        cause=forwarding_cause(request.mail_id, request.recipient),
    )


def _may_loop(tx: Connection, app: App, request: InboundRequest, owner: str) -> bool:
    """Whether it is of our own making, or a program may have sent it in answer to what we carry or send."""
    heard, domain = request.mail, app.site.domain
    if re.fullmatch(rf"<[0-9a-f]{{32}}@{re.escape(domain)}>", heard.message_id or "") or _is_from_own_list(
        tx, app, request
    ):
        return True
    if heard.any_mark is None:
        return False
    answers_us = any(message_id.lower().endswith(f"@{domain}>") for message_id in heard.references)
    if heard.automatic_mark:
        from_owner = request.sender is not None and request.sender.addr_spec.lower() == owner.lower()
        if from_owner or answers_us or request.address.command not in _OWNER_COMMANDS:
            return True
    elif answers_us and heard.has_auto_reply_subject:
        return True
    return counters.increment(tx, CounterKind.FORWARDED, request.list_name, DAY, app.clock()) > _MAX_AUTOMATIC_PER_DAY


def _is_from_own_list(tx: Connection, app: App, request: InboundRequest) -> bool:
    """Whether it comes from an address of a list here."""
    if request.sender is None or request.sender.domain != app.site.domain:
        return False
    name = parse_local_part(request.sender.addr_spec.rpartition("@")[0]).list_name
    return name is None or mailing_lists.exists(tx, name)
