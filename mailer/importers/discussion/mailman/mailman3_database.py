"""Read a Mailman 3 list from Mailman's own database, a file of SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from mailer.errors import TableRefused
from mailer.importers.discussion.mailman.mailman3_lists import choose_list_id
from mailer.importers.discussion.mailman.mailman3_members import (
    Mailman3Ban,
    Mailman3Member,
    read_bans,
    read_members,
    read_request,
)
from mailer.importers.export_format import ReadOptions
from mailer.importers.export_times import parse_export_time
from mailer.importers.member_row import ReadRow
from mailer.importers.source_files import SourceFile

SQLITE_START = b"SQLite format 3\0"
_NO_WAL = b"\1\1"
"""In the header. A database in memory cannot have the write-ahead log that these octets may ask for."""
MAX_DATABASE = 256 << 20
"""The largest database, in octets, since it is read into memory."""
_STEPS = 200_000_000
"""Of SQLite's machine: a list of a million members takes a tenth."""
_TABLES = frozenset({"member", "address", "preferences"})
_ROLES = (None, "member", "owner", "moderator", "nonmember")
_MODES = (None, "regular", "plaintext_digests", "mime_digests", "summary_digests")
_STATUSES = (None, "enabled", "by_user", "by_bounces", "by_moderator", "unknown")
_ACTIONS = ("hold", "reject", "discard", "accept", "defer")
"""The names of Mailman's enumerations, which the database holds as numbers."""
_MEMBERS = """
SELECT member.role, member.moderation_action, member.bounce_score, member.last_bounce_received, address.email,
  address._original, coalesce(nullif(address.display_name, ''), user.display_name), address.verified_on, {preferences}
FROM member
LEFT JOIN user ON user.id = member.user_id
LEFT JOIN address ON address.id = coalesce(member.address_id, user._preferred_address_id)
LEFT JOIN user AS owner ON owner.id = coalesce(member.user_id, address.user_id)
LEFT JOIN preferences AS own ON own.id = member.preferences_id
LEFT JOIN preferences AS of_address ON of_address.id = address.preferences_id
LEFT JOIN preferences AS of_user ON of_user.id = owner.preferences_id
WHERE member.list_id IS ? ORDER BY member.id
"""
_PREFERENCES = ("delivery_mode", "delivery_status", "preferred_language", "receive_own_postings", "receive_list_copy")
_PENDING = """
SELECT pended_id, key, value FROM pendedkeyvalue WHERE pended_id IN
  (SELECT pended_id FROM pendedkeyvalue WHERE key = 'type' AND value IN ('subscription', '"subscription"'))
ORDER BY pended_id
"""


def is_mailman3_database(file: SourceFile) -> bool:
    """Whether it is a database with Mailman's tables."""
    with file.open() as octets:
        if octets.read(len(SQLITE_START)) != SQLITE_START:
            return False
    try:
        with closing(_open(file)) as database:
            return _table_names(database) >= _TABLES
    except (sqlite3.Error, TableRefused):
        return "mailman" in file.base_name.lower()


def read_database(file: SourceFile, options: ReadOptions) -> list[ReadRow]:
    """The rows of a list. Raises TableRefused."""
    try:
        with closing(_open(file)) as database:
            return list(_read(database, file.base_name, options))
    except (sqlite3.Error, OverflowError, UnicodeDecodeError) as trouble:
        raise TableRefused(f"{file.base_name} cannot be read as Mailman's database: {trouble}") from None


def _open(file: SourceFile) -> sqlite3.Connection:
    """The database in memory, in which nothing but reading is allowed."""
    if file.size > MAX_DATABASE:
        raise TableRefused(f"{file.base_name} has {file.size} octets, more than {MAX_DATABASE}: save the REST rosters")
    database = sqlite3.connect(":memory:")
    with file.open() as octets:
        content = bytearray(octets.read())
    content[18:20] = _NO_WAL
    database.deserialize(content)
    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA cell_size_check = ON")
    database.execute("PRAGMA query_only = ON")
    database.set_authorizer(_authorize)
    left = iter(range(_STEPS // 1_000_000))
    database.set_progress_handler(lambda: next(left, None) is None, 1_000_000)
    return database


def _authorize(action: int, *details: object) -> int:
    allowed = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
    return sqlite3.SQLITE_OK if action in allowed else sqlite3.SQLITE_DENY


def _table_names(database: sqlite3.Connection) -> set[str]:
    return {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _read(database: sqlite3.Connection, place: str, options: ReadOptions) -> Iterator[ReadRow]:
    list_ids = {one for (one,) in database.execute("SELECT DISTINCT list_id FROM member") if isinstance(one, str)}
    list_id = choose_list_id(list_ids, options.source_list)
    tables = _table_names(database)
    columns = (f"coalesce(own.{one}, of_address.{one}, of_user.{one})" for one in _PREFERENCES)
    members = database.execute(_MEMBERS.format(preferences=", ".join(columns)), (list_id,))
    yield from read_members((_member(row, place) for row in members), _bounce_limit(database, tables, list_id))
    if "ban" in tables:
        found = database.execute("SELECT email, list_id FROM ban WHERE list_id IS ? OR list_id IS NULL", (list_id,))
        yield from read_bans(Mailman3Ban(email=str(one), place="ban", everywhere=of is None) for one, of in found)
    if "pendedkeyvalue" in tables:
        yield from _requests(database, place, list_id)


def _bounce_limit(database: sqlite3.Connection, tables: set[str], list_id: str | None) -> int | None:
    if "mailinglist" not in tables:
        return None
    row = database.execute("SELECT bounce_score_threshold FROM mailinglist WHERE list_id IS ?", (list_id,)).fetchone()
    return row[0] if row and isinstance(row[0], int) else None


def _member(row: tuple[Any, ...], place: str) -> Mailman3Member:
    role, action, score, bounced, email, original, name, verified, mode, status, language, own_posts, copies = row
    return Mailman3Member(
        email=str(original or email or "without an address"),
        role=_named(_ROLES, role) or str(role),
        place=place,
        name=_text(name),
        mode=_named(_MODES, mode),
        status="enabled" if status is None else _named(_STATUSES, status) or str(status),
        moderation_action=_named(_ACTIONS, action),
        bounce_score=score if isinstance(score, int) else 0,
        last_bounce_at=parse_export_time(str(bounced or ""), zone="UTC"),
        language=_text(language),
        own_posts=None if own_posts is None else bool(own_posts),
        list_copy=None if copies is None else bool(copies),
        is_verified=verified is not None,
        verified_at=parse_export_time(str(verified or ""), zone="UTC"),
    )


def _requests(database: sqlite3.Connection, place: str, list_id: str | None) -> Iterator[ReadRow]:
    """Who asked to subscribe. Values are JSON, but for those of old versions."""
    by_id: dict[int, dict[str, Any]] = {}
    for number, key, value in database.execute(_PENDING):
        by_id.setdefault(number, {})[str(key)] = _json(value)
    for one in by_id.values():
        if one.get("list_id") == list_id and isinstance(email := one.get("email"), str):
            asked_at = parse_export_time(str(one.get("when") or ""), zone="UTC")
            yield read_request(email, _text(one.get("display_name")), place, asked_at)


def _json(value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (RecursionError, ValueError):
        return value


def _named(names: tuple[str | None, ...], number: object) -> str | None:
    return names[number] if isinstance(number, int) and 0 <= number < len(names) else None


def _text(value: object) -> str | None:
    return value or None if isinstance(value, str) else None
