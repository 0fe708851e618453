"""Sign-ins: links and codes that were sent or printed, each to be used once. Only their hashes are stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from mailer.domain.accounts.secret_word import hash_word
from mailer.domain.accounts.sign_in import LETTER_LIFETIME, LINK_LIFETIME, MOST_TRIES, SignIn, SignInWay
from mailer.store.accounts.organiser_tables import sign_in


def add_for_browser(tx: Connection, *, browser: str, next_path: str | None, now: datetime) -> int:
    """Note that a browser, by its cookie, asked for a letter; returns the sign-in's id."""
    values = {
        "browser_hash": hash_word(browser),
        "next_path": next_path,
        "purpose": SignInWay.LETTER,
        "created_at": now,
        "expires_at": now + LETTER_LIFETIME,
    }
    return tx.execute(insert(sign_in).values(values).returning(sign_in.c.id)).scalar_one()


def set_letter(tx: Connection, sign_in_id: int, *, organiser_id: int, link_word: str, code_hash: str) -> None:
    """Let a sign-in be used with what its letter says."""
    values = {"organiser_id": organiser_id, "link_hash": hash_word(link_word), "code_hash": code_hash}
    tx.execute(update(sign_in).where(sign_in.c.id == sign_in_id).values(values))


def add_link(tx: Connection, way: SignInWay, word: str, organiser_id: int | None, now: datetime) -> None:
    """Let any browser sign in once with this word; earlier links of that way for the same organiser end."""
    of_same = sign_in.c.organiser_id == organiser_id if organiser_id else sign_in.c.organiser_id.is_(None)
    tx.execute(delete(sign_in).where(sign_in.c.purpose == way, of_same))
    values = {
        "organiser_id": organiser_id,
        "link_hash": hash_word(word),
        "purpose": way,
        "created_at": now,
        "expires_at": now + LINK_LIFETIME,
    }
    tx.execute(insert(sign_in).values(values))


def find_by_link(tx: Connection, word: str) -> SignIn | None:
    """The sign-in of a link's word, used or over or not; None for an unknown word."""
    row = tx.execute(select(sign_in).where(sign_in.c.link_hash == hash_word(word))).one_or_none()
    return _from_row(row) if row else None


def find_newest_of_browser(tx: Connection, browser: str) -> SignIn | None:
    """What this browser asked for last, whatever became of it."""
    query = select(sign_in).where(sign_in.c.browser_hash == hash_word(browser)).order_by(sign_in.c.id.desc()).limit(1)
    row = tx.execute(query).one_or_none()
    return _from_row(row) if row else None


def count_try(tx: Connection, browser: str, now: datetime) -> list[tuple[SignIn, str | None]]:
    """Count a typed code for all sign-ins of a browser for which one may be typed; these, with their codes' hashes."""
    tried = (
        update(sign_in)
        .where(
            sign_in.c.browser_hash == hash_word(browser),
            *_is_good(now),
            sign_in.c.tries < MOST_TRIES,
        )
        .values(tries=sign_in.c.tries + 1)
        .returning(sign_in)
    )
    return [(_from_row(row), row.code_hash) for row in tx.execute(tried)]


def use(tx: Connection, sign_in_id: int, now: datetime) -> bool:
    """Use a sign-in up; False where it was used before, or is over."""
    used = update(sign_in).where(sign_in.c.id == sign_in_id, *_is_good(now)).values(used_at=now)
    return bool(tx.execute(used).rowcount)


def use_all_of_browser(tx: Connection, browser_hash: str, now: datetime) -> None:
    """Use up whatever else this browser asked for."""
    tx.execute(update(sign_in).where(sign_in.c.browser_hash == browser_hash, *_is_good(now)).values(used_at=now))


def newest_letters(tx: Connection) -> dict[int, int]:
    """For each organiser who was sent a letter that is not deleted yet, the newest sign-in with one."""
    letters = (sign_in.c.purpose == SignInWay.LETTER, sign_in.c.organiser_id.is_not(None))
    query = select(sign_in.c.organiser_id, func.max(sign_in.c.id)).where(*letters).group_by(sign_in.c.organiser_id)
    return {organiser_id: number for organiser_id, number in tx.execute(query)}


def list_over(tx: Connection, before: datetime, limit: int) -> list[int]:
    """Up to `limit` sign-ins that were over before then."""
    query = select(sign_in.c.id).where(sign_in.c.expires_at < before).order_by(sign_in.c.expires_at).limit(limit)
    return list(tx.execute(query).scalars())


def remove(tx: Connection, sign_in_ids: Sequence[int]) -> None:
    tx.execute(delete(sign_in).where(sign_in.c.id.in_(sign_in_ids)))


def _is_good(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return sign_in.c.used_at.is_(None), sign_in.c.expires_at > now


def _from_row(row: Row[tuple[object, ...]]) -> SignIn:
    return SignIn(
        id=row.id,
        way=SignInWay(row.purpose),
        organiser_id=row.organiser_id,
        browser_hash=row.browser_hash,
        next_path=row.next_path,
        tries=row.tries,
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
    )
