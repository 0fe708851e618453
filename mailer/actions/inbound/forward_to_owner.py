"""A person's mail is carried to who answers for a list, or for the service."""

from __future__ import annotations

import re

from sqlalchemy import Connection

from mailer.actions.inbound.inbound_request import Asking
from mailer.app import App
from mailer.domain.abuse_limits import DAY, Counted
from mailer.domain.command_address import Command, parse_local_part
from mailer.domain.delivery import Kind, Notice, carrying_cause
from mailer.domain.mailing_list import MailingList
from mailer.store import counters, incoming_mails, mailing_lists
from mailer.store.incoming_mails import IncomingState
from mailer.store.queue import deliveries

_MOST_MARKED = 200
"""Mails a day that a program may have sent, to the owner of one list: where one goes in circles, it ends here."""
_FOR_OWNERS = {Command.OWNER, Command.ROLE, Command.COMPLAINT}


async def carry_to_owner(app: App, asking: Asking) -> IncomingState:
    """Carry the mail, wrapped, so that it comes from us and an answer goes to who wrote; KEPT where it might go round.

    Its octets stand in its row when the letter does. Raises NotFound for an unknown list.
    """

    def work(tx: Connection) -> bool:
        mailing_list = mailing_lists.named(tx, asking.list_name) if asking.to.list_name else None
        owner = mailing_list.owner if mailing_list else app.house.owner
        if _goes_round(tx, app, asking, owner):
            return False
        deliveries.add_notice(tx, _wrapped(app, asking, mailing_list, owner), app.clock())
        incoming_mails.keep_octets(tx, asking.mail_id, asking.octets)
        return True

    carried = await app.database.write(work)
    app.bells.notices.set()
    return IncomingState.CARRIED if carried else IncomingState.KEPT


def _wrapped(app: App, asking: Asking, mailing_list: MailingList | None, owner: str) -> Notice:
    return Notice(
        kind=Kind.WRAPPED,
        address=owner,
        suppression_key="",  # who answers for a list cannot stop hearing of it
        language=app.language(mailing_list.language if mailing_list else None),
        mailing_list_id=mailing_list.id if mailing_list else None,
        values={
            "sender": asking.sender.mailed if asking.sender else None,
            "subject": asking.heard.subject,
            "recipient": asking.recipient,
            "incoming": asking.mail_id,
        },
        cause=carrying_cause(asking.mail_id, asking.recipient),
    )


def _goes_round(tx: Connection, app: App, asking: Asking, owner: str) -> bool:
    """Whether it is of our own making, or a program may have sent it in answer to what we carry or send."""
    heard, domain = asking.heard, app.house.domain
    if re.fullmatch(rf"<[0-9a-f]{{32}}@{re.escape(domain)}>", heard.message_id or "") or _is_ours(tx, app, asking):
        return True
    if heard.marked is None:
        return False
    answers_us = any(message_id.lower().endswith(f"@{domain}>") for message_id in heard.answers)
    if heard.automatic:
        from_owner = asking.sender is not None and asking.sender.mailed.lower() == owner.lower()
        if from_owner or answers_us or asking.to.command not in _FOR_OWNERS:
            return True
    elif answers_us and heard.has_programs_subject:
        return True
    return counters.count(tx, Counted.CARRIED, asking.list_name, DAY, app.clock()) > _MOST_MARKED


def _is_ours(tx: Connection, app: App, asking: Asking) -> bool:
    """Whether it comes from an address of a list here."""
    if asking.sender is None or asking.sender.domain != app.house.domain:
        return False
    name = parse_local_part(asking.sender.mailed.rpartition("@")[0]).list_name
    return name is None or mailing_lists.exists(tx, name)
