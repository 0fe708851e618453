"""Which mail that comes again is a second try of the first, and which is another mail."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailer.app import App
from mailer.domain.incoming_message import NO_MESSAGE_ID, IncomingMessage
from mailer.store import incoming_mails
from tests.support.app_helpers import Clock


@pytest.mark.parametrize(("digest", "kept_after_a_minute"), [("a" * 64, 1), (NO_MESSAGE_ID + "a" * 63, 2)])
async def test_a_mail_without_an_identity_may_be_another_one_half_a_minute_later(
    app: App, clock: Clock, digest: str, kept_after_a_minute: int
) -> None:
    arrival = IncomingMessage(sender="rosa@example.org", recipients=("appeals-join@lists.example.org",), digest=digest)

    kept = []
    for later in (0, 20, 60):
        await app.database.write(incoming_mails.add, [arrival, arrival], clock() + timedelta(seconds=later))
        kept.append(await app.database.read(incoming_mails.count_all))

    assert kept == [1, 1, kept_after_a_minute]
