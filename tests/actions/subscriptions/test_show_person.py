"""What is told of an address that is on no list."""

from __future__ import annotations

import pytest

from mailer.actions.subscriptions.show_person import show_person
from mailer.app import App
from mailer.domain.suppression import SuppressionReason
from mailer.errors import NotFound
from tests.support.app_helpers import ADMIN, ROSA, open_list, suppress


async def test_who_is_kept_out_without_being_known_is_said_to_be(app: App) -> None:
    await open_list(app)
    with pytest.raises(NotFound, match=r"is not known here$"):
        await show_person(app, ADMIN, ROSA)

    await suppress(app, ROSA, SuppressionReason.BANNED, list_name="appeals")
    await suppress(app, ROSA, SuppressionReason.LEFT, list_name=None)

    with pytest.raises(
        NotFound, match=r"is not known here, and gets no letters: left \(every list\), banned \(appeals\)$"
    ):
        await show_person(app, ADMIN, ROSA)
