"""Authenticating the sender of a mail for each of our addresses that it was sent to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.sender_authentication import SenderAuthentication
from mailer.mail.message.parsed_message import ParsedMessage
from mailer.network.authenticate_sender import authenticate_sender
from mailer.store import locks
from mailer.store.incoming_mails import StoredMessage
from mailer.store.locks import Lock

_MAX_NUMBER = 2**31


async def authenticate_mail(
    app: App, stored: StoredMessage, message: ParsedMessage
) -> Mapping[str, SenderAuthentication]:
    """The authentication of the sender, for each recipient.

    What the DKIM signatures sign is recorded. A later mail with the same signed content is a replay, which anybody who
    received the mail may have sent: its sender is not authenticated. Processing the same mail again is no replay.
    """
    authentication = await authenticate_sender(
        app.dns,
        message,
        stored.message,
        mail_servers=app.intake.mail_servers,
        authserv_ids=app.intake.authserv_ids,
        now=app.clock(),
        add_own_addresses=app.add_own_addresses,
    )
    found = {recipient: authentication.for_recipient(recipient) for recipient in stored.message.recipients}
    if not authentication.signature_digests or not authentication.authenticated:
        return found

    def work(tx: Connection) -> set[str]:
        return {name for name, one in found.items() if one.authenticated and _is_replay(tx, app, stored.id, name, one)}

    replayed = await app.database.write(work)
    return found | {name: found[name].unauthenticated("the same signed mail was received before") for name in replayed}


def _is_replay(tx: Connection, app: App, mail_id: int, recipient: str, authentication: SenderAuthentication) -> bool:
    own = mail_id % _MAX_NUMBER
    names = [
        hashlib.sha256(f"{digest} {recipient.lower()}".encode()).hexdigest()
        for digest in authentication.signature_digests
    ]
    first = [locks.acquire_for_good(tx, Lock.SIGNATURE, name, own, app.clock()) for name in names]
    return any(number != own for number in first)
