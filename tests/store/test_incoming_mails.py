"""Which incoming mail is another delivery of an earlier one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailer.app import App
from mailer.domain.incoming_message import NO_MESSAGE_ID, IncomingMessage
from mailer.store import incoming_mails
from tests.support.app_helpers import Clock


@pytest.mark.parametrize(("digest", "kept_after_a_minute"), [("a" * 64, 1), (NO_MESSAGE_ID + "a" * 63, 2)])
async def test_a_mail_without_a_message_id_counts_as_new_half_a_minute_later(
    app: App, clock: Clock, digest: str, kept_after_a_minute: int
) -> None:
    message = IncomingMessage(sender="rosa@example.org", recipients=("appeals-join@lists.example.org",), digest=digest)

    kept = []
    for later in (0, 20, 60):
        await app.database.write(incoming_mails.add, [message, message], clock() + timedelta(seconds=later))
        kept.append(await app.database.read(incoming_mails.count_all))

    assert kept == [1, 1, kept_after_a_minute]
