"""The people of lists in numbers: who a launch would reach, and who came and left by day."""

from __future__ import annotations

from datetime import UTC

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.audience_count import AudienceCount
from mailer.domain.list_day import ListDay
from mailer.store import mailing_lists
from mailer.store.counts import audience_counts, list_days

DAYS = 90


async def audience_by_language(app: App, actor: Actor, mailing_list_id: int) -> AudienceCount:
    """Who a launch would reach, by language, and who not and why.

    Exact up to 20,000 subscriptions; of a larger list as of `counted_at`, which is minutes ago at most unless nobody
    came or left since. Raises NotPermitted.
    """
    actor.require(Permission.READ, mailing_list_id)
    return await app.database.read(audience_counts.load, mailing_list_id, app.clock())


async def joins_and_leaves(app: App, actor: Actor, mailing_list_id: int | None = None) -> list[ListDay]:
    """The last 90 days (UTC), today last, of one list, or of all that the actor may read. Raises NotPermitted."""
    if mailing_list_id is not None:
        actor.require(Permission.READ, mailing_list_id)
    today = app.clock().astimezone(UTC).date()

    def work(tx: Connection) -> list[ListDay]:
        if mailing_list_id is not None:
            return list_days.load_days(tx, [mailing_list_id], today, DAYS)
        allowed = actor.lists_with(Permission.READ, [one.id for one in mailing_lists.list_all(tx)])
        return list_days.load_days(tx, allowed, today, DAYS)

    return await app.database.read(work)
