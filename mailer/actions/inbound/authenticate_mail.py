"""Who wrote a mail, as far as that is proven, for each address of ours that it came to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.abuse_limits import Counted
from mailer.domain.sender_authentication import Proof
from mailer.network.authenticate_sender import who_wrote
from mailer.store import counters
from mailer.store.incoming_mails import IncomingMail

_MOST_NUMBER = 2**31


async def prove(app: App, mail: IncomingMail, raw: bytes) -> Mapping[str, Proof]:
    """What the mail proves to each of its recipients.

    It is known from now on by what its signatures sign: another mail with the same is a copy, which whoever has got it
    may have handed in, and proves nothing. To act on the same mail once more, after a crash, is no copy.
    """
    proof = await who_wrote(
        app.dns,
        raw,
        mail.arrival,
        mail_servers=app.intake.mail_servers,
        authserv_ids=app.intake.authserv_ids,
        now=app.clock(),
    )
    proofs = {recipient: proof.to(recipient) for recipient in mail.arrival.recipients}
    if not proof.digests or not proof.proven:
        return proofs

    def work(tx: Connection) -> set[str]:
        return {name for name, found in proofs.items() if found.proven and _is_copy(tx, app, mail.id, name, found)}

    copied = await app.database.write(work)
    return proofs | {name: proofs[name].doubted("the same signed mail was heard before") for name in copied}


def _is_copy(tx: Connection, app: App, mail_id: int, recipient: str, proof: Proof) -> bool:
    own = mail_id % _MOST_NUMBER
    names = [hashlib.sha256(f"{digest} {recipient.lower()}".encode()).hexdigest() for digest in proof.digests]
    first = [counters.put_once(tx, Counted.HEARD, name, own, app.clock()) for name in names]
    return any(number != own for number in first)
