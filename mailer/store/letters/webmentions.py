"""Webmentions: received, verified, decided on, and those that a letter's page shows."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from mailer.domain.letters.webmention import Webmention, WebmentionState
from mailer.domain.page import Page, cursor_id, make_page, page_size
from mailer.errors import NotFound
from mailer.store.inserts import insert_into
from mailer.store.letters.letter_tables import webmention
from mailer.store.queue.queue_tables import campaign


def receive(tx: Connection, *, campaign_id: int, source: str, target: str, now: datetime) -> None:
    """Have a source looked at: a new Webmention, or one that was sent again since its source changed."""
    new = insert_into(tx, webmention).values(
        campaign_id=campaign_id,
        source=source,
        target=target,
        state=WebmentionState.RECEIVED,
        received_at=now,
        due_at=now,
    )
    again = {"received_at": now, "due_at": now, "tries": 0}
    tx.execute(new.on_conflict_do_update(index_elements=["source", "target"], set_=again))


def is_known(tx: Connection, source: str, target: str) -> bool:
    """Whether this Webmention was received before."""
    found = select(webmention.c.id).where(webmention.c.source == source, webmention.c.target == target)
    return tx.execute(found).one_or_none() is not None


def count_undecided(tx: Connection) -> int:
    """How many there are that nobody accepted."""
    undecided = webmention.c.state.in_([one for one in WebmentionState if one is not WebmentionState.ACCEPTED])
    return tx.execute(select(func.count()).select_from(webmention).where(undecided)).scalar_one()


def list_due(tx: Connection, now: datetime, limit: int) -> list[Webmention]:
    """Those whose source is to be looked at, the longest due first."""
    due = _query().where(webmention.c.due_at <= now).order_by(webmention.c.due_at, webmention.c.id).limit(limit)
    return [_from_row(row) for row in tx.execute(due)]


def record_verified(tx: Connection, mention_id: int, title: str, now: datetime) -> None:
    """The source links to the letter. What is shown changes only when an organiser has seen the new title."""
    row = tx.execute(select(webmention.c.state, webmention.c.title).where(webmention.c.id == mention_id)).one_or_none()
    if row is None:
        return
    state = WebmentionState(row.state)
    if state is WebmentionState.RECEIVED or (state is WebmentionState.ACCEPTED and row.title != title):
        state = WebmentionState.WAITING
    values = {"state": state, "title": title, "verified_at": now, "due_at": None, "tries": 0}
    tx.execute(update(webmention).where(webmention.c.id == mention_id).values(values))


def postpone(tx: Connection, mention_id: int, tries: int, due_at: datetime | None) -> None:
    """Its source could not be had so often; it is looked at again then, or (None) not any more."""
    tx.execute(update(webmention).where(webmention.c.id == mention_id).values(tries=tries, due_at=due_at))


def remove(tx: Connection, mention_id: int) -> None:
    """Forget one whose source is gone, or does not link to the letter."""
    tx.execute(delete(webmention).where(webmention.c.id == mention_id))


def get(tx: Connection, mention_id: int) -> Webmention:
    """The Webmention of that id. Raises NotFound."""
    row = tx.execute(_query().where(webmention.c.id == mention_id)).one_or_none() if 0 < mention_id < 2**63 else None
    if row is None:
        raise NotFound(f"there is no Webmention {mention_id}")
    return _from_row(row)


def decide(tx: Connection, mention_id: int, state: WebmentionState, by: str) -> None:
    """Accept or reject one."""
    tx.execute(update(webmention).where(webmention.c.id == mention_id).values(state=state, decided_by=by))


def list_page(
    tx: Connection,
    mailing_list_ids: Collection[int] | None,
    states: Collection[WebmentionState],
    after: str,
    limit: int,
) -> Page[Webmention]:
    """A page of those about letters of these lists (None: of all) in these states, the newest first."""
    query = _query().where(webmention.c.state.in_(states)).order_by(webmention.c.id.desc())
    if mailing_list_ids is not None:
        query = query.where(campaign.c.mailing_list_id.in_(mailing_list_ids))
    if after:
        query = query.where(webmention.c.id < cursor_id(after))
    found = [_from_row(row) for row in tx.execute(query.limit(page_size(limit) + 1))]
    return make_page(found, limit, lambda one: str(one.id))


def list_accepted(tx: Connection, campaign_id: int, limit: int) -> list[Webmention]:
    """Those that the page of a campaign's letter shows, in the order in which they came."""
    shown = (webmention.c.campaign_id == campaign_id, webmention.c.state == WebmentionState.ACCEPTED)
    return [_from_row(row) for row in tx.execute(_query().where(*shown).order_by(webmention.c.id).limit(limit))]


def delete_undecided(tx: Connection, before: datetime, limit: int) -> int:
    """Delete up to `limit` that came before then and that nobody accepted; returns how many."""
    old = select(webmention.c.id).where(
        webmention.c.state != WebmentionState.ACCEPTED, webmention.c.received_at < before
    )
    return tx.execute(delete(webmention).where(webmention.c.id.in_(old.limit(limit)))).rowcount


def _query() -> Select[Any]:
    of_campaign = (campaign.c.mailing_list_id, campaign.c.subject)
    return select(webmention, *of_campaign).join_from(webmention, campaign)


def _from_row(row: Row[Any]) -> Webmention:
    return Webmention(
        id=row.id,
        campaign_id=row.campaign_id,
        mailing_list_id=row.mailing_list_id,
        subject=row.subject,
        source=row.source,
        target=row.target,
        title=row.title,
        state=WebmentionState(row.state),
        received_at=row.received_at,
        verified_at=row.verified_at,
        tries=row.tries,
        decided_by=row.decided_by,
    )
