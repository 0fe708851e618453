"""An organiser looks at the mailing lists and how many people are on them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.mailing_list import MailingList
from mailer.store import mailing_lists


async def show_list(app: App, name: str) -> dict[str, Any]:
    """A list with its address, pages and counts by subscription state; NotFound."""
    return await app.database.read(lambda tx: _list_details(tx, app, mailing_lists.get_by_name(tx, name)))


async def show_lists(app: App) -> list[dict[str, Any]]:
    """All of them, by name."""
    return await app.database.read(lambda tx: [_list_details(tx, app, one) for one in mailing_lists.list_all(tx)])


def _list_details(tx: Connection, app: App, mailing_list: MailingList) -> dict[str, Any]:
    letterhead = app.list_identity(mailing_list)
    quiet = mailing_list.quiet_until if mailing_list.is_throttled(app.clock()) else None
    more = {"address": letterhead.address(), "join_page": letterhead.join_url, "quiet_until": quiet}
    return asdict(mailing_list) | more | {"subscriptions": mailing_lists.count_by_state(tx, mailing_list.id)}
