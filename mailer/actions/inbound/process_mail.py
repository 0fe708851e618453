"""What came in is read, its sender looked up, and acted on: mail by mail, in the order it came."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog

from mailer.actions.inbound.authenticate_mail import prove
from mailer.actions.inbound.change_language import change_language
from mailer.actions.inbound.confirm_by_mail import confirm_by_token
from mailer.actions.inbound.forward_to_owner import carry_to_owner
from mailer.actions.inbound.identify_by_token import know_by_token
from mailer.actions.inbound.inbound_request import Asking
from mailer.actions.inbound.record_bounce import take_return
from mailer.actions.inbound.request_subscribe import ask_to_join
from mailer.actions.inbound.request_unsubscribe import ask_to_leave
from mailer.actions.inbound.send_help import send_help
from mailer.actions.inbound.send_subscriptions import tell_lists
from mailer.actions.inbound.unsubscribe_by_mail import Leaving, leave_by_token
from mailer.actions.subscriptions.check_token import check_token
from mailer.actions.subscriptions.subscribe import subscribe_by_form
from mailer.app import App
from mailer.domain.bounce import ReturnKind
from mailer.domain.command_address import Command, parse_local_part
from mailer.domain.incoming_message import Arrival
from mailer.domain.sender_authentication import UNPROVEN
from mailer.errors import DatabaseUnavailable, NotFound, NothingPending, TokenRefused
from mailer.mail.bounces.match_delivery import COMES_BACK, Told, told_in
from mailer.mail.inbound.command_parser import Asked, asked
from mailer.mail.inbound.command_words import Wish
from mailer.mail.inbound.parse_mail import Heard, read_mail
from mailer.mail.inbound.yes_no_reply import Answer
from mailer.mail.message.header_section import header_digest
from mailer.mail.message.received import came_from
from mailer.store import incoming_mails
from mailer.store.incoming_mails import IncomingMail, IncomingState
from mailer.store.spool import forget_octets_of, octets_of

_log = structlog.get_logger()

AT_ONCE = 20
"""Mails whose senders are looked up together: the DNS takes its time."""


async def hear(app: App, most: int = AT_ONCE) -> bool:
    """Act on up to `most` of the oldest mails that wait; whether there were any, and all went well.

    Each one's try is counted before it is touched, so that a mail which breaks us is parked in the end; the others
    do not wait for it. Acting twice on one mail (after a crash) changes nothing twice.
    """
    if not await app.database.read(incoming_mails.any_waiting):
        return False
    taken = await app.database.write(incoming_mails.take, most, app.cut_off)
    app.cut_off.clear()
    app.cut_off.update(mail.id for mail in taken)
    looked_at = await asyncio.gather(*(_look_at(app, mail) for mail in taken), return_exceptions=True)
    well = bool(taken)
    for mail, found in zip(taken, looked_at, strict=True):
        try:
            if isinstance(found, BaseException):
                raise found
            raw, askings = found
            end = await _act(app, mail, askings)
            await app.database.write(incoming_mails.finish, mail.id, end, raw, app.clock())
            await forget_octets_of(app.intake.spool, mail.arrival)
        except DatabaseUnavailable:
            raise
        except Exception:  # of whatever sort: it must not keep the mails behind it waiting
            _log.exception("a mail broke us", incoming=mail.id)
            well = False
        app.cut_off.discard(mail.id)
    return well


async def _look_at(app: App, mail: IncomingMail) -> tuple[bytes, list[Asking]]:
    """Its octets, and what it asks of each of our addresses it was sent to."""
    raw = await octets_of(app.intake.spool, mail.arrival)
    heard, source, digest = await asyncio.to_thread(_read, raw, mail.arrival, app.intake.mail_servers)
    addresses = {recipient: parse_local_part(recipient.rpartition("@")[0]) for recipient in mail.arrival.recipients}
    matters = any(_matters_who_wrote(heard, to.command) for to in addresses.values())
    proofs = await prove(app, mail, raw) if matters else {}
    return raw, [
        Asking(
            mail_id=mail.id,
            heard=heard,
            recipient=recipient,
            to=to,
            octets=raw,
            envelope_sender=mail.arrival.sender,
            source=source,
            proof=proofs.get(recipient, UNPROVEN),
            header_digest=digest,
            keep_client=app.hearing.keep_client_address,
            told=await asyncio.to_thread(told_in, raw, app.house, to, app.clock()),
        )
        for recipient, to in addresses.items()
    ]


def _read(raw: bytes, arrival: Arrival, servers: Sequence[str]) -> tuple[Heard, str | None, str]:
    """What the mail says, the address it came from, and the digest of its header."""
    return read_mail(raw, arrival.sender), came_from(raw, arrival, servers).address, header_digest(raw)


def _matters_who_wrote(heard: Heard, command: Command) -> bool:
    return heard.automatic is None and command is not Command.OWNER and command not in COMES_BACK


async def _act(app: App, mail: IncomingMail, askings: list[Asking]) -> IncomingState:
    """Do what it asks; what is to become of its row."""
    if mail.arrival.request:
        with suppress(NotFound):  # the list is gone since
            await subscribe_by_form(app, mail.arrival)
        return IncomingState.DONE
    return _latest([await _heed(app, asking) for asking in askings])


def _latest(ends: list[IncomingState]) -> IncomingState:
    return max(ends, key=list(IncomingState).index, default=IncomingState.DONE)


async def _heed(app: App, asking: Asking) -> IncomingState:
    """Act on it, carry it to people, or keep it for them: what it is marked with never has it thrown away."""
    if asking.told is not None:
        return await _come_back(app, asking, asking.told)
    try:
        if not asking.may_act:
            _log.info("a program's mail", incoming=asking.mail_id, command=asking.to.command, why=asking.heard.marked)
            return IncomingState.KEPT
        await check_token(app, asking.to)
        return await _ACTS[asking.to.command](app, asking)
    except (NotFound, TokenRefused) as refusal:
        # The door asked before it took the mail: what it asked for is gone since.
        _log.info("mail in vain", incoming=asking.mail_id, why=str(refusal))
        return IncomingState.KEPT


async def _come_back(app: App, asking: Asking, told: Told) -> IncomingState:
    """Act on a bounce or a complaint; what else comes to a role address is for people.

    To a return path vacations come, too, of which nothing follows; what we do not understand is kept for a while.
    """
    acted = told.came_back is not None and await take_return(app, [told.came_back]) > 0
    _log.info("came back", incoming=asking.mail_id, kind=told.kind, acted=acted)
    if not acted and (asking.to.command is Command.ROLE or told.for_people):
        return await carry_to_owner(app, asking)
    automatic = told.kind is ReturnKind.AUTO_REPLY and asking.heard.automatic
    understood = automatic or told.kind in {ReturnKind.BOUNCE, ReturnKind.DELAY, ReturnKind.RECEIPT}
    return IncomingState.DONE if acted or understood else IncomingState.KEPT


async def _join(app: App, asking: Asking, language: str | None = None) -> IncomingState:
    """Who asks against an order that only an organiser lifts reaches one, where the mail is proven to be theirs."""
    if not await ask_to_join(app, asking, language):
        return await carry_to_owner(app, asking)
    return IncomingState.DONE


async def _leave(app: App, asking: Asking) -> IncomingState:
    if asking.to.token is None:
        await _ask_to_leave(app, asking)
    elif await leave_by_token(app, asking) is Leaving.UNCLEAR:
        return await carry_to_owner(app, asking)
    return IncomingState.DONE


async def _ask_to_leave(app: App, asking: Asking, language: str | None = None) -> None:
    """Who is not on the list is sent its commands instead."""
    if not await ask_to_leave(app, asking, language):
        await send_help(app, asking, language)


async def _help(app: App, asking: Asking) -> IncomingState:
    await send_help(app, asking)
    return IncomingState.DONE


async def _request(app: App, asking: Asking) -> IncomingState:
    """The commands stand in the subject or the text; where we find none, help does."""
    found = asked(asking.heard, app.templates.vocabulary, strict=False)
    return _latest([await _obey(app, asking, one) for one in found or (Asked(command=Wish.HELP),)])


async def _confirm(app: App, asking: Asking) -> IncomingState:
    """What neither agrees nor declines reaches the owner."""
    try:
        if await confirm_by_token(app, asking) is Answer.NEITHER:
            return await carry_to_owner(app, asking)
    except NothingPending:
        if asking.may_answer:
            await send_help(app, asking)
    return IncomingState.DONE


async def _to_people(app: App, asking: Asking) -> IncomingState:
    """A command where it says nothing else, otherwise for the owner; a reply is of the person our letter went to."""
    by_token = asking.to.command is Command.REPLY
    person = await know_by_token(app, asking) if by_token and "@" in asking.heard.own_words else None
    found = asked(asking.heard, app.templates.vocabulary, strict=True, person=person.sender if person else None)
    if not found or asking.heard.automatic or not (by_token or asking.may_answer):
        return await carry_to_owner(app, asking)
    person = person or (await know_by_token(app, asking) if by_token else asking)
    return _latest([await _obey(app, person, one) for one in found])


async def _obey(app: App, asking: Asking, told: Asked) -> IncomingState:
    """One command in plain words, answered in the language of the word where nothing else tells it."""
    if told.command is Wish.SUBSCRIBE:
        return await _join(app, asking, told.language)
    if told.command is Wish.UNSUBSCRIBE:
        await _ask_to_leave(app, asking, told.language)
    elif told.command is Wish.WHICH:
        await tell_lists(app, asking, told.language)
    elif not (told.command is Wish.LANGUAGE and told.argument and await change_language(app, asking, told.argument)):
        await send_help(app, asking, told.language)
    return IncomingState.DONE


_ACTS: dict[Command, Callable[[App, Asking], Awaitable[IncomingState]]] = {
    Command.JOIN: _join,
    Command.LEAVE: _leave,
    Command.REQUEST: _request,
    Command.HELP: _help,
    Command.CONFIRM: _confirm,
    Command.REPLY: _to_people,
    Command.OWNER: carry_to_owner,
    Command.POST: _to_people,
}
