"""Organisers decide which Webmentions the page of a letter shows."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor, require_anywhere
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.letters.webmention import Webmention, WebmentionState
from mailer.domain.page import Page
from mailer.errors import NotFound
from mailer.store.accounts import audit_log
from mailer.store.letters import webmentions

_PAGE = 50
SEEN = (WebmentionState.WAITING, WebmentionState.ACCEPTED, WebmentionState.REJECTED)
"""The states that are shown to organisers: what was not looked at yet may be anything."""


async def list_webmentions(
    app: App, actor: Actor, states: Collection[WebmentionState] = SEEN, after: str = ""
) -> Page[Webmention]:
    """A page of those about letters of the lists for which the actor writes, the newest first. Raises NotPermitted."""

    def work(tx: Connection) -> Page[Webmention]:
        allowed = require_anywhere(actor, Permission.WRITE)
        return webmentions.list_page(tx, allowed, states, after, _PAGE)

    return await app.database.read(work)


async def accept_webmention(app: App, actor: Actor, mention_id: int) -> Webmention:
    """Show it on the letter's page. Raises NotFound, NotPermitted."""
    return await app.database.write(_decide, app, actor, mention_id, WebmentionState.ACCEPTED, Act.ACCEPT_WEBMENTION)


async def reject_webmention(app: App, actor: Actor, mention_id: int) -> Webmention:
    """Do not show it, or not any more. Raises NotFound, NotPermitted."""
    return await app.database.write(_decide, app, actor, mention_id, WebmentionState.REJECTED, Act.REJECT_WEBMENTION)


def _decide(tx: Connection, app: App, actor: Actor, mention_id: int, state: WebmentionState, act: Act) -> Webmention:
    one = webmentions.get(tx, mention_id)
    actor.require(Permission.WRITE, one.mailing_list_id)
    if one.state is WebmentionState.RECEIVED:
        raise NotFound(f"Webmention {mention_id} was not looked at yet")
    if one.state is not state:
        webmentions.decide(tx, mention_id, state, actor.name)
        audit_log.record(
            tx,
            actor,
            act,
            subject=f"campaign {one.campaign_id}",
            mailing_list_id=one.mailing_list_id,
            before={"state": one.state.value},
            after={"state": state.value, "source": one.source},
            now=app.clock(),
        )
    return webmentions.get(tx, mention_id)
