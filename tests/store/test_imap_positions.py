"""How far a mailbox was read is remembered, each mailbox for itself."""

from __future__ import annotations

from mailer.app import App
from mailer.store.imap_positions import Mark, mark_of, set_mark


async def test_a_mark_moves_and_another_mailbox_has_none(app: App) -> None:
    await app.database.write(set_mark, "imap://lists@mx.example.org:993/INBOX", Mark(uid_validity=7, last_uid=20))
    await app.database.write(
        set_mark, "imap://lists@mx.example.org:993/INBOX", Mark(uid_validity=2**32 - 1, last_uid=3)
    )

    told = await app.database.read(mark_of, "imap://lists@mx.example.org:993/INBOX")

    assert told == Mark(uid_validity=2**32 - 1, last_uid=3)
    assert await app.database.read(mark_of, "imap://lists@mx.example.org:993/Other") is None
