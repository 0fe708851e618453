"""Mail comes in: kept as a row before anybody is told that we have it."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.arrival import Arrival
from mailer.domain.command_address import Command, CommandAddress, parse_local_part
from mailer.domain.token import Purpose, read_token
from mailer.errors import TokenRefused
from mailer.store import incoming_mails, mailing_lists

_PURPOSES = {
    Command.CONFIRM: Purpose.CONFIRM,
    Command.LEAVE: Purpose.LEAVE,
    Command.RETURN_PATH: Purpose.RETURN_PATH,
    Command.REPLY: Purpose.REPLY,
}
_MUST_CARRY = {Command.CONFIRM, Command.RETURN_PATH, Command.REPLY}


async def receive(app: App, *arrivals: Arrival) -> None:
    """Keep what arrived; when this returns it is committed and will be acted on, whatever happens to us."""
    await app.database.write(incoming_mails.add, arrivals, app.clock())
    app.bells.incoming.set()


async def recognise(app: App, recipient: str) -> bool:
    """Whether somebody answers to this address of our domain: a known list, a genuine token."""
    address = parse_local_part(recipient.rpartition("@")[0])
    if not _token_is_genuine(app, address):
        return False
    if address.list_name is None:
        return True

    def work(tx: Connection) -> bool:
        return mailing_lists.exists(tx, address.list_name or "")

    return await app.database.read(work)


def _token_is_genuine(app: App, address: CommandAddress) -> bool:
    purpose = _PURPOSES.get(address.command)
    if address.token is None or purpose is None:
        return address.command not in _MUST_CARRY
    try:
        read_token(app.house.keyring, purpose, address.token)
    except TokenRefused:
        return False
    return True
