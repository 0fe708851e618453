"""Who wrote a mail, as far as that is proven, for each address of ours that it came to."""

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


async def authenticate_mail(app: App, mail: StoredMessage, parsed: ParsedMessage) -> Mapping[str, SenderAuthentication]:
    """What the mail proves to each of its recipients.

    It is known from now on by what its signatures sign: another mail with the same is a copy, which whoever has got it
    may have handed in, and proves nothing. To act on the same mail once more, after a crash, is no copy.
    """
    proof = await authenticate_sender(
        app.dns,
        parsed,
        mail.message,
        mail_servers=app.intake.mail_servers,
        authserv_ids=app.intake.authserv_ids,
        now=app.clock(),
    )
    proofs = {recipient: proof.for_recipient(recipient) for recipient in mail.message.recipients}
    if not proof.signature_digests or not proof.authenticated:
        return proofs

    def work(tx: Connection) -> set[str]:
        return {
            name for name, found in proofs.items() if found.authenticated and _is_replay(tx, app, mail.id, name, found)
        }

    copied = await app.database.write(work)
    return proofs | {name: proofs[name].unauthenticated("the same signed mail was heard before") for name in copied}


def _is_replay(tx: Connection, app: App, mail_id: int, recipient: str, authentication: SenderAuthentication) -> bool:
    own = mail_id % _MAX_NUMBER
    names = [
        hashlib.sha256(f"{digest} {recipient.lower()}".encode()).hexdigest()
        for digest in authentication.signature_digests
    ]
    first = [locks.acquire_for_good(tx, Lock.SIGNATURE, name, own, app.clock()) for name in names]
    return any(number != own for number in first)
