"""A person answers one of our letters: the address they write to says who they are."""

from __future__ import annotations

from dataclasses import replace

from mailer.actions.inbound.inbound_request import InboundRequest
from mailer.app import App
from mailer.domain.address import parse_address
from mailer.domain.sender_authentication import AuthenticationMethod, SenderAuthentication
from mailer.domain.token import Purpose, read_token
from mailer.store import subscriptions


async def identify_by_token(app: App, request: InboundRequest) -> InboundRequest:
    """The same, asked by the person whose reply address it came to, proven by that; TokenRefused, NotFound.

    Only they were given it. Whatever From says, the answer goes to them.
    """
    number = read_token(app.site.keyring, Purpose.REPLY, request.address.token or "")
    person = await app.database.read(subscriptions.get, number)
    address = parse_address(person.address)
    proof = SenderAuthentication(
        method=AuthenticationMethod.REPLY_TOKEN,
        domain=address.domain,
        why="sent to the address only this person was given",
    )
    return replace(request, mail=replace(request.mail, sender=address, sender_name=None), authentication=proof)
