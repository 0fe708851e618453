"""Once an hour, what need not be known any more is taken out: requests that came to nothing, proofs, mail acted on."""

from __future__ import annotations

from datetime import timedelta

from mailer.app import App
from mailer.domain.abuse_limits import DAY, HOUR
from mailer.domain.subscription import CONFIRM_WITHIN
from mailer.store import counters, locks, mailing_lists, retention
from mailer.store.job_markers import JobMarker, get_marker, set_marker
from mailer.store.locks import Lock

CHUNK = 200
"""Rows in one transaction: short enough that no letter waits for it."""
_MAIL_RETENTION = timedelta(days=7)
"""How long a second try of a mail that was acted on is recognised."""


async def purge(app: App) -> dict[str, int]:
    """Take out what is too old, unless that was done within the hour, by whichever process; how much of what.

    Requests that nobody confirmed in time go with the people nothing else is known of; people who want to be
    forgotten, with where letters to them went; from the consent record who it was, not what was agreed; mails that
    were acted on; tallies. It can be broken off anywhere, and goes on the next time.
    """
    if not await app.database.write(locks.acquire, Lock.PURGE, "", HOUR, app.clock()):
        return {}
    done = {"people": await _purge_people(app), "requests": 0}
    for mailing_list in await app.database.read(mailing_lists.list_all):
        done["requests"] += await _expire_requests(app, mailing_list.id)
    return done | {
        "lines": await _erase_evidence(app),
        "mails": await _purge_mails(app),
        "tallies": await _purge_counters(app),
    }


async def _purge_people(app: App) -> int:
    """All but the newest, whose number would be given to somebody else."""
    people = await app.database.read(retention.list_erased, CHUNK)
    letters = await app.database.read(retention.list_notices_to, people.values()) if people else []
    for begin in range(0, len(letters), CHUNK):
        await app.database.write(retention.erase_notice_recipients, letters[begin : begin + CHUNK])
    return await app.database.write(retention.delete_subscribers, people) if people else 0


async def _expire_requests(app: App, mailing_list_id: int) -> int:
    before, after, ended = app.clock() - CONFIRM_WITHIN, 0, 0
    while True:
        last, old = await app.database.read(retention.list_expired_requests, mailing_list_id, after, before, CHUNK)
        if old:
            ended += await app.database.write(retention.delete_expired_requests, mailing_list_id, old, before)
        if last is None:
            return ended
        after = last


async def _erase_evidence(app: App) -> int:
    """From where the last time ended; how many lines were looked at."""
    before = app.clock() - timedelta(days=app.hearing.keep_evidence_days)
    after = began = min(
        await app.database.read(get_marker, JobMarker.EVIDENCE_ERASED),
        await app.database.read(retention.last_consent_id),
    )
    while (upto := await app.database.write(retention.erase_old_evidence, after, before, CHUNK)) > after:
        await app.database.write(set_marker, JobMarker.EVIDENCE_ERASED, upto, app.clock())
        after = upto
    return after - began


async def _purge_mails(app: App) -> int:
    """But for those that letters still to be written carry."""
    before, after, removed = app.clock() - _MAIL_RETENTION, 0, 0
    while True:
        last, old = await app.database.read(retention.list_deletable_mails, before, after, CHUNK)
        if old:
            await app.database.write(retention.delete_mails, old)
            removed += len(old)
        if last is None:
            return removed
        after = last


async def _purge_counters(app: App) -> int:
    dropped = 0
    while now_dropped := await app.database.write(counters.delete_old, app.clock() - DAY, CHUNK):
        dropped += now_dropped
    return dropped
