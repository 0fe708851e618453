"""Purge once an hour: expired requests, erased people, old evidence, processed mails, old counters and sign-ins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.abuse_limits import DAY, HOUR
from mailer.domain.accounts.sign_in import sign_in_cause
from mailer.domain.subscription import CONFIRM_WITHIN
from mailer.store import counters, locks, mailing_lists, retention
from mailer.store.accounts import organiser_sessions, sign_ins
from mailer.store.job_markers import JobMarker, get_marker, set_marker
from mailer.store.letters import unnamed_media
from mailer.store.locks import Lock
from mailer.store.queue import deliveries

CHUNK = 200
"""Rows in one transaction, so few that sending does not wait."""
_MAIL_RETENTION = timedelta(days=7)
"""How long a processed mail is kept, so that its repetition is recognised."""
_MEDIA_RETENTION = timedelta(days=30)
"""How long a picture or an attachment is kept that no text names, and how seldom all texts are read for that."""
_SIGN_IN_RETENTION = timedelta(days=1)
"""How long the page of organisers can show what became of somebody's last letter to sign in."""


async def purge(app: App) -> dict[str, int]:
    """Delete what is too old. Returns how much of what; empty where a process did it within the last hour.

    Deleted are: requests not confirmed in time, with people of whom nothing else is known; people to be erased, with
    the addresses of notices to them; the identifying part of old evidence; processed mails; old counters; sessions that
    are over; sign-ins of a day ago, with the addresses of their letters; pictures and attachments that nothing names.
    It can be interrupted anywhere, and continues the next time.
    """
    if not await app.database.write(locks.acquire, Lock.PURGE, "", HOUR, app.clock()):
        return {}
    purged = {"people": await _purge_people(app), "requests": 0}
    for mailing_list in await app.database.read(mailing_lists.list_all):
        purged["requests"] += await _expire_requests(app, mailing_list.id)
    return purged | {
        "lines": await _erase_evidence(app),
        "mails": await _purge_mails(app),
        "tallies": await _purge_counters(app),
        "sessions": await _purge_in_chunks(app, organiser_sessions.delete_over),
        "sign_ins": await _purge_sign_ins(app),
        "media": await _purge_media(app),
    }


async def _purge_people(app: App) -> int:
    """Delete erased subscribers, but for the newest, whose id SQLite would give to somebody else."""
    people = await app.database.read(retention.list_erased, CHUNK)
    letters = await app.database.read(retention.list_notices_to, people.values()) if people else []
    for begin in range(0, len(letters), CHUNK):
        await app.database.write(retention.erase_notice_recipients, letters[begin : begin + CHUNK])
    return await app.database.write(retention.delete_subscribers, people) if people else 0


async def _expire_requests(app: App, mailing_list_id: int) -> int:
    before, after, expired = app.clock() - CONFIRM_WITHIN, 0, 0
    while True:
        last, ids = await app.database.read(retention.list_expired_requests, mailing_list_id, after, before, CHUNK)
        if ids:
            expired += await app.database.write(retention.delete_expired_requests, mailing_list_id, ids, before)
        if last is None:
            return expired
        after = last


async def _erase_evidence(app: App) -> int:
    """Erase old evidence from where the last purge ended. Returns how many lines of the consent record were read."""
    before = app.clock() - timedelta(days=app.hearing.keep_evidence_days)
    after = began = min(
        await app.database.read(get_marker, JobMarker.EVIDENCE_ERASED),
        await app.database.read(retention.last_consent_id),
    )
    while (up_to := await app.database.write(retention.erase_old_evidence, after, before, CHUNK)) > after:
        await app.database.write(set_marker, JobMarker.EVIDENCE_ERASED, up_to, app.clock())
        after = up_to
    return after - began


async def _purge_mails(app: App) -> int:
    """Delete processed mails, but for those that unsent forwards still need."""
    before, after, deleted = app.clock() - _MAIL_RETENTION, 0, 0
    while True:
        last, ids = await app.database.read(retention.list_deletable_mails, before, after, CHUNK)
        if ids:
            await app.database.write(retention.delete_mails, ids)
            deleted += len(ids)
        if last is None:
            return deleted
        after = last


async def _purge_in_chunks(app: App, delete: Callable[[Connection, datetime, int], int]) -> int:
    deleted = 0
    while deleted_now := await app.database.write(delete, app.clock(), CHUNK):
        deleted += deleted_now
    return deleted


async def _purge_sign_ins(app: App) -> int:
    """Delete sign-ins of the day before, and erase the addresses of their letters."""
    deleted = 0
    while ids := await app.database.read(sign_ins.list_over, app.clock() - _SIGN_IN_RETENTION, CHUNK):
        await app.database.write(_delete_sign_ins, ids)
        deleted += len(ids)
    return deleted


def _delete_sign_ins(tx: Connection, ids: list[int]) -> None:
    letters = deliveries.list_by_cause(tx, [sign_in_cause(number) for number in ids])
    retention.erase_notice_recipients(tx, letters)
    sign_ins.remove(tx, ids)


async def _purge_media(app: App) -> int:
    """Delete pictures and attachments that nothing names; each is looked for once in _MEDIA_RETENTION."""
    found = await app.database.read(unnamed_media.list_unchecked, app.clock() - _MEDIA_RETENTION, CHUNK)
    return await app.database.write(unnamed_media.delete_unnamed, found, app.clock()) if found else 0


async def _purge_counters(app: App) -> int:
    deleted = 0
    while deleted_now := await app.database.write(counters.delete_old, app.clock() - DAY, CHUNK):
        deleted += deleted_now
    return deleted
