"""Forwarding a mail to the owner of a list, or to the owner of the service."""

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
"""Mails a day to the owner of one list that a program may have sent: a mail loop ends here."""
_OWNER_COMMANDS = {Command.OWNER, Command.ROLE, Command.COMPLAINT}


async def forward_to_owner(app: App, request: InboundRequest) -> IncomingState:
    """Forward the mail as an attachment of a notice whose Reply-To is the author.

    FORWARDED, or KEPT if forwarding it could start a mail loop. The octets are stored in its row in the same
    transaction as the notice. Raises NotFound for an unknown list.
    """

    def work(tx: Connection) -> bool:
        mailing_list = mailing_lists.get_by_name(tx, request.list_name) if request.address.list_name else None
        owner = mailing_list.owner if mailing_list else app.site.owner
        if _may_loop(tx, app, request, owner):
            return False
        deliveries.add_notice(tx, _make_notice(app, request, mailing_list), app.clock())
        incoming_mails.store_raw(tx, request.mail_id, request.message.raw)
        return True

    forwarded = await app.database.write(work)
    return IncomingState.FORWARDED if forwarded else IncomingState.KEPT


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
    """Whether we sent the mail ourselves, or a program may have sent it in answer to what we forward or send."""
    mail, domain = request.mail, app.site.domain
    is_own_letter = re.fullmatch(rf"<[0-9a-f]{{32}}@{re.escape(domain)}>", mail.message_id or "") is not None
    if is_own_letter or _is_from_own_list(tx, app, request):
        return True
    if mail.any_mark is None:
        return False
    answers_own_letter = any(message_id.lower().endswith(f"@{domain}>") for message_id in mail.references)
    if mail.automatic_mark:
        is_from_owner = request.sender is not None and request.sender.addr_spec.lower() == owner.lower()
        if is_from_owner or answers_own_letter or request.address.command not in _OWNER_COMMANDS:
            return True
    elif answers_own_letter and mail.has_auto_reply_subject:
        return True
    return counters.increment(tx, CounterKind.FORWARDED, request.list_name, DAY, app.clock()) > _MAX_AUTOMATIC_PER_DAY


def _is_from_own_list(tx: Connection, app: App, request: InboundRequest) -> bool:
    """Whether the sender is an address of one of our lists."""
    if request.sender is None or request.sender.domain != app.site.domain:
        return False
    name = parse_local_part(request.sender.addr_spec.rpartition("@")[0]).list_name
    return name is None or mailing_lists.exists(tx, name)
