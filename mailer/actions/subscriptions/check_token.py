"""Check the token in one of our addresses: that it is genuine, and of the list that the address names."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.command_address import Command, CommandAddress
from mailer.domain.token import Purpose, read_any_token
from mailer.errors import NotFound, TokenRefused
from mailer.mail.bounces.match_delivery import COMPLAINT_PURPOSES
from mailer.store import mailing_lists, subscriptions

_PURPOSES_BY_COMMAND = {
    Command.CONFIRM: (Purpose.CONFIRM,),
    Command.LEAVE: (Purpose.LEAVE, Purpose.LEAVE_REPLY),
    Command.RETURN_PATH: (Purpose.RETURN_PATH,),
    Command.COMPLAINT: COMPLAINT_PURPOSES,
    Command.REPLY: (Purpose.REPLY,),
}
_TOKEN_REQUIRED = {Command.CONFIRM, Command.RETURN_PATH, Command.REPLY}
_DELIVERY_PURPOSES = {Purpose.RETURN_PATH, Purpose.COMPLAINT}


async def check_token(app: App, to: CommandAddress) -> None:
    """Raise TokenRefused where the token is missing, altered, made for another purpose, or of another list.

    A token is accepted though its subscription has been erased since. Only genuine tokens cost a database query.
    """
    purposes = _PURPOSES_BY_COMMAND.get(to.command)
    if to.token is None or purposes is None:
        if to.command in _TOKEN_REQUIRED:
            raise TokenRefused("this address needs a token: use the address from the letter")
        return
    purpose, subject_id = read_any_token(app.site.keyring, purposes, to.token)
    if purpose not in _DELIVERY_PURPOSES and await app.database.read(
        _belongs_to_another_list, subject_id, to.list_name or ""
    ):
        raise TokenRefused(f"this token is not of {to.list_name}")


def _belongs_to_another_list(tx: Connection, subscription_id: int, list_name: str) -> bool:
    subscription = subscriptions.find_by_id(tx, subscription_id)
    try:
        return subscription is not None and subscription.mailing_list_id != mailing_lists.get_by_name(tx, list_name).id
    except NotFound:
        return True
