"""What a mail asks for is done: join, confirm, leave, help, or carried to the owner."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from mailer.actions.joining.confirm import confirm
from mailer.actions.joining.decline import decline
from mailer.actions.joining.look_up import look_up_list
from mailer.actions.joining.subscribe import subscribe
from mailer.actions.joining.unsubscribe import unsubscribe, unsubscribe_address
from mailer.app import App
from mailer.domain.address import Address
from mailer.domain.command_address import Command, CommandAddress, parse_local_part
from mailer.domain.consent import Evidence, Way
from mailer.domain.delivery import Kind, Notice
from mailer.domain.mailing_list import MailingList
from mailer.errors import NotFound, NothingPending, TokenRefused
from mailer.mail.declining import declines
from mailer.mail.read import Heard, asked_command, read_mail
from mailer.store import deliveries, incoming_mails
from mailer.store.incoming_mails import IncomingMail, IncomingState
from mailer.store.spool import forget_octets_of, octets_of

_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """One mail to one of our addresses."""

    app: App
    mail: IncomingMail
    heard: Heard
    recipient: str
    to: CommandAddress

    @property
    def evidence(self) -> Evidence:
        told = {
            "from": self.heard.sender.mailed if self.heard.sender else None,
            "envelope_from": self.mail.arrival.sender,
        }
        return Evidence(Way.MAIL, told | {"to": self.recipient, "message_id": self.heard.message_id})


async def hear(app: App) -> bool:
    """Act on the oldest mail that waits; whether there was one.

    Its try is counted before it is touched, so that a mail which breaks us is parked in the end. Acting
    twice on one mail (after a crash) changes nothing twice.
    """
    if not await app.database.read(incoming_mails.any_waiting):
        return False
    if (mail := await app.database.write(incoming_mails.take_next)) is None:
        return False
    arrival = mail.arrival
    mail = replace(mail, arrival=replace(arrival, raw=await octets_of(app.intake.spool, arrival)))
    heard = await asyncio.to_thread(read_mail, mail.arrival.raw, arrival.sender)
    end = IncomingState.DONE
    for recipient in mail.arrival.recipients:
        to = parse_local_part(recipient.rpartition("@")[0])
        asking = Asking(app=app, mail=mail, heard=heard, recipient=recipient, to=to)
        if to.command is Command.RETURN_PATH:
            end = IncomingState.KEPT
        await _act(asking)
    await app.database.write(incoming_mails.finish, mail.id, end, app.clock())
    if end is not IncomingState.KEPT:
        await forget_octets_of(app.intake.spool, arrival)
    return True


async def _act(asking: Asking) -> None:
    """Robots join and confirm nothing and are never answered; they may leave, and reach people."""
    act = _ACTS.get(asking.to.command)
    if act is None or (asking.heard.robot and asking.to.command not in _OPEN_TO_ROBOTS):
        _log.info("mail not acted on", incoming=asking.mail.id, command=asking.to.command, robot=asking.heard.robot)
        return
    try:
        await act(asking)
    except (NotFound, TokenRefused) as refusal:
        # The door asked before it took the mail: what it asked for is gone since.
        _log.info("mail in vain", incoming=asking.mail.id, why=str(refusal))


async def _join(asking: Asking) -> None:
    if asking.heard.sender is not None:
        await _join_in(asking, asking.heard.sender, asking.to.language or asking.heard.language)


async def _join_in(asking: Asking, address: Address, language: str | None) -> None:
    await subscribe(
        asking.app,
        list_name=asking.to.list_name or "",
        address=address,
        evidence=asking.evidence,
        name=asking.heard.sender_name,
        language=language,
        in_reply_to=asking.heard.message_id,
    )


async def _leave(asking: Asking) -> None:
    if asking.to.token is not None:
        await unsubscribe(asking.app, asking.to.token, asking.evidence)
    elif asking.heard.sender is not None and not asking.heard.robot:
        await unsubscribe_address(
            asking.app,
            list_name=asking.to.list_name or "",
            address=asking.heard.sender,
            evidence=asking.evidence,
            in_reply_to=asking.heard.message_id,
        )


async def _request(asking: Asking) -> None:
    command, language = asked_command(asking.heard) or (Command.HELP, None)
    if command is Command.JOIN and asking.heard.sender is not None:
        await _join_in(asking, asking.heard.sender, language or asking.heard.language)
    elif command is Command.LEAVE:
        await _leave(asking)
    else:
        await _help(asking)


async def _confirm(asking: Asking) -> None:
    token = asking.to.token or ""
    if declines(asking.heard.own_words):
        await decline(asking.app, token, asking.evidence)
        return
    try:
        await confirm(asking.app, token, asking.evidence)
    except NothingPending:
        await _help(asking)


async def _help(asking: Asking) -> None:
    """The commands, once a day for an address: its sender may be forged."""
    if (sender := asking.heard.sender) is None:
        return
    app, mailing_list = asking.app, await look_up_list(asking.app, asking.to.list_name or "")
    notice = Notice(
        kind=Kind.HELP,
        address=sender.mailed,
        suppression_key=app.house.keyring.suppression_key(sender.key),
        language=app.language(asking.heard.language, mailing_list.language),
        mailing_list_id=mailing_list.id,
        values={"in_reply_to": asking.heard.message_id} if asking.heard.message_id else {},
        cause=f"help {mailing_list.id} {sender.key} {app.clock().date()}",
    )
    await app.database.write(deliveries.add_notice, notice, app.clock())
    app.bells.notices.set()


async def _carry_to_owner(asking: Asking) -> None:
    """Wrapped, so that it comes from us and an answer goes to who wrote."""
    mailing_list = await look_up_list(asking.app, asking.to.list_name) if asking.to.list_name else None
    owner = mailing_list.owner if mailing_list else asking.app.house.owner
    if asking.heard.robot and asking.heard.sender and asking.heard.sender.mailed.lower() == owner.lower():
        return  # the owner's own "out of office" to what we carried: it would go round for ever
    await asking.app.database.write(deliveries.add_notice, _wrapped(asking, mailing_list, owner), asking.app.clock())
    asking.app.bells.notices.set()


def _wrapped(asking: Asking, mailing_list: MailingList | None, owner: str) -> Notice:
    return Notice(
        kind=Kind.WRAPPED,
        address=owner,
        suppression_key="",  # who answers for a list cannot stop hearing of it
        language=asking.app.language(mailing_list.language if mailing_list else None),
        mailing_list_id=mailing_list.id if mailing_list else None,
        values={
            "sender": asking.heard.sender.mailed if asking.heard.sender else None,
            "subject": asking.heard.subject,
            "recipient": asking.recipient,
            "raw": base64.b64encode(asking.mail.arrival.raw).decode(),
        },
        cause=f"incoming {asking.mail.id} {asking.recipient}",
    )


_ACTS: dict[Command, Callable[[Asking], Awaitable[None]]] = {
    Command.JOIN: _join,
    Command.LEAVE: _leave,
    Command.REQUEST: _request,
    Command.HELP: _help,
    Command.CONFIRM: _confirm,
    Command.OWNER: _carry_to_owner,
    Command.POST: _carry_to_owner,
    Command.ROLE: _carry_to_owner,
}
_OPEN_TO_ROBOTS = {Command.LEAVE, Command.OWNER, Command.POST, Command.ROLE}
