"""The position in each IMAP mailbox is stored."""

from __future__ import annotations

from mailer.app import App
from mailer.store.imap_positions import ImapPosition, get_position, set_position


async def test_a_position_moves_and_another_mailbox_has_none(app: App) -> None:
    await app.database.write(
        set_position, "imap://lists@mx.example.org:993/INBOX", ImapPosition(uid_validity=7, last_uid=20)
    )
    await app.database.write(
        set_position, "imap://lists@mx.example.org:993/INBOX", ImapPosition(uid_validity=2**32 - 1, last_uid=3)
    )

    found = await app.database.read(get_position, "imap://lists@mx.example.org:993/INBOX")

    assert found == ImapPosition(uid_validity=2**32 - 1, last_uid=3)
    assert await app.database.read(get_position, "imap://lists@mx.example.org:993/Other") is None
