"""Receives Webmentions, and looks later whether their sources link to the letters that they name."""

from __future__ import annotations

import asyncio
from urllib.parse import urldefrag

import structlog
from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.abuse_limits import (
    HOUR,
    MAX_MENTIONS,
    MAX_MENTIONS_PER_HOST,
    MAX_MENTIONS_PER_SOURCE,
    CounterKind,
    Limit,
    source_network,
)
from mailer.domain.letters.archive_paths import own_letter_path
from mailer.domain.letters.webmention import (
    KEPT_UNDECIDED,
    MOST_KEPT,
    Webmention,
    WebmentionState,
    check_mention_url,
    mention_host,
    next_try_at,
)
from mailer.errors import NotFound, WebmentionRefused
from mailer.mail.webmention.mentioning_page import MentioningPage, read_mentioning_page
from mailer.network.webmention_source import FetchedSource, SourceState
from mailer.store import counters
from mailer.store.letters import citations, webmentions

_log = structlog.get_logger()

_AT_ONCE = 4
"""Sources that are fetched at the same time."""
_MOST_AT_A_TIME = 20
"""Sources that are looked at in one run of the job."""
_CHUNK = 200


async def receive_webmention(app: App, source: str, target: str, *, client: str | None) -> None:
    """Have the page `source` looked at, which says that it links to `target`; nothing is fetched yet.

    Nothing is said of letters that nobody may read, nor of what is above the limits of an hour: that is dropped.
    `client` is the sender's IP address. Raises NotFound where Webmentions are not accepted, and WebmentionRefused for
    addresses that cannot be ones of pages, or of our archive.
    """
    if not app.archive.webmention:
        raise NotFound("Webmentions are not accepted here")
    source, target = check_mention_url(source, "source"), urldefrag(check_mention_url(target, "target"))[0]
    letter = own_letter_path(app.site.url, target)
    if letter is None:
        raise WebmentionRefused("the target is not the page of a letter here")
    if urldefrag(source)[0].startswith(f"{app.site.url}/"):
        raise WebmentionRefused("the source is a page of ours: letters say themselves what they answer")

    def work(tx: Connection) -> None:
        if not counters.increment_within_limits(tx, _limits(app, source, client), app.clock()):
            return
        if not citations.is_public(tx, letter.list_name, letter.campaign_id):
            return
        if not webmentions.is_known(tx, source, target) and webmentions.count_undecided(tx) >= MOST_KEPT:
            return
        webmentions.receive(tx, campaign_id=letter.campaign_id, source=source, target=target, now=app.clock())

    await app.database.write(work)


def _limits(app: App, source: str, client: str | None) -> list[Limit]:
    of_all = Limit(kind=CounterKind.MENTIONS, subject="", window=HOUR, maximum=MAX_MENTIONS)
    host = mention_host(source)
    of_host = Limit(kind=CounterKind.MENTION_HOST, subject=host, window=HOUR, maximum=MAX_MENTIONS_PER_HOST)
    if (network := source_network(client)) is None:
        return [of_host, of_all]
    subject, kind = app.site.keyring.fingerprint("source", network), CounterKind.MENTION_SOURCE
    of_network = Limit(kind=kind, subject=subject, window=HOUR, maximum=MAX_MENTIONS_PER_SOURCE)
    return [of_network, of_host, of_all]


async def verify_webmentions(app: App) -> int:
    """Look at the sources of Webmentions that are due, and delete old ones that nobody accepted.

    One whose source links to the letter waits for an organiser, also if it was accepted and its title has changed. One
    whose source is gone or does not link to it is forgotten, even if it was accepted. Returns how many were looked at.
    """
    if not app.archive.webmention:
        return 0
    while await app.database.write(webmentions.delete_undecided, app.clock() - KEPT_UNDECIDED, _CHUNK):
        pass
    due = await app.database.read(webmentions.list_due, app.clock(), _MOST_AT_A_TIME)
    turns = asyncio.Semaphore(_AT_ONCE)

    async def verify(one: Webmention) -> None:
        async with turns:
            fetched = await app.sources.fetch(one.source)
            # Before the transaction: others' pages may be long to read, and nobody else could write meanwhile.
            page = await asyncio.to_thread(_read_page, one, fetched)
        await app.database.write(_record, app, one, fetched, page)

    await asyncio.gather(*map(verify, due))
    return len(due)


def _read_page(one: Webmention, fetched: FetchedSource) -> MentioningPage:
    return read_mentioning_page(fetched.content, fetched.content_type, fetched.url, one.target)


def _record(tx: Connection, app: App, one: Webmention, fetched: FetchedSource, page: MentioningPage) -> None:
    letter = own_letter_path(app.site.url, one.target)
    is_open = letter is not None and citations.is_public(tx, letter.list_name, letter.campaign_id)
    if fetched.state is SourceState.UNAVAILABLE and is_open:
        _try_again(tx, app, one, fetched.reason)
        return
    if not is_open or fetched.state is SourceState.GONE or not page.links:
        _log.info("skipped Webmention", webmention=one.id, reason=fetched.reason or "its source does not link to it")
        webmentions.remove(tx, one.id)
        return
    webmentions.record_verified(tx, one.id, page.title or mention_host(one.source), app.clock())


def _try_again(tx: Connection, app: App, one: Webmention, reason: str) -> None:
    tries = one.tries + 1
    due_at = next_try_at(tries, app.clock())
    if due_at is None and one.state is WebmentionState.RECEIVED:
        _log.info("skipped Webmention", webmention=one.id, reason=reason)
        webmentions.remove(tx, one.id)
    else:
        # One that was verified before stays as it is: a server that is down takes nothing back.
        webmentions.postpone(tx, one.id, tries, due_at)
