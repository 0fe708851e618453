"""People, roles and bans of a Mailman 2.1 list, from the attributes in its config.pck."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from mailer.domain.subscription import DeliveryMode
from mailer.domain.suppression import SuppressionReason
from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow, LeftBehind
from mailer.importers.discussion.mailman.name_charsets import decode_name
from mailer.importers.discussion.mailman.pickle_reader import PickledBounces, read_pickle
from mailer.importers.language_cell import read_language
from mailer.importers.member_row import BY_OWNER, ReadRow, clean_name, merge_people, read_address, read_epoch, suppress
from mailer.importers.person_row import ListRole, PersonRow, SuppressionEntry

_DISABLED, _NO_OWN_POSTS, _PLAIN_DIGEST, _MODERATED, _NO_COPIES = 1, 2, 8, 128, 256
"""Bits of user_options. _DISABLED is that of versions before 2.1, which delivery_status has replaced."""
_ENABLED, _BY_USER, _BY_OWNER, _BY_BOUNCE = 0, 2, 3, 4
_BOUNCE_LIMIT = 5.0
_NONMEMBER_LISTS = {
    "accept_these_nonmembers": True,
    "hold_these_nonmembers": False,
    "reject_these_nonmembers": False,
    "discard_these_nonmembers": False,
}
_TEXTS = ("msg_header", "msg_footer", "digest_header", "digest_footer", "welcome_msg", "goodbye_msg")
_DEFAULT_WORDS = re.compile(r"%\(\w+\)[sdr]?|\$\{?\w+\}?|mailing list|listinfo|[\W_\d]")


class Mailman21List:
    """The attributes of a list, texts decoded where they are asked for."""

    def __init__(self, attributes: Mapping[Any, Any]) -> None:
        self.attributes = {_plain(key): value for key, value in attributes.items()}
        self.language = self.text("preferred_language")

    def mapping(self, name: str) -> dict[str, Any]:
        """A dictionary by address, in lower case; empty where the version has none."""
        found = self.attributes.get(name)
        return {_plain(key).lower(): value for key, value in found.items()} if isinstance(found, dict) else {}

    def texts(self, name: str) -> list[str]:
        found = self.attributes.get(name)
        if isinstance(found, str | bytes):
            found = found.split()
        return [text for one in found if (text := _plain(one).strip())] if isinstance(found, list | tuple) else []

    def text(self, name: str) -> str:
        found = self.attributes.get(name)
        return decode_name(found, ())[0] if isinstance(found, str | bytes) else ""

    @property
    def names(self) -> set[str]:
        """What an organiser may call the list, in lower case."""
        name = self.text("_internal_name") or self.text("real_name")
        return {name.lower(), self.text("real_name").lower(), f"{name}@{self.text('host_name')}".lower()} - {""}


def parse_mailman21_list(octets: bytes) -> Mailman21List:
    """Parse a config.pck. Raises TableRefused."""
    attributes = read_pickle(octets)
    if not isinstance(attributes, dict):
        raise TableRefused("is no list's config.pck: it holds no attributes")
    parsed = Mailman21List(attributes)
    if not isinstance(parsed.attributes.get("members"), dict):
        raise TableRefused("is no list's config.pck, or its members are in a database: it holds no members")
    return parsed


def read_mailman21_list(source: Mailman21List, place: str) -> Iterator[ReadRow]:
    """One row a person, then what does not come along. `place` is the file's name."""
    yield from merge_people(_member_rows(source, place))


def _member_rows(source: Mailman21List, place: str) -> Iterator[ReadRow]:
    facts = {
        name: source.mapping(name)
        for name in ("usernames", "language", "user_options", "delivery_status", "bounce_info")
    }
    members, digest_members = source.mapping("members"), source.mapping("digest_members")
    both = members.keys() & digest_members.keys()
    for key, given in (members | {key: one for key, one in digest_members.items() if key not in both}).items():
        try:
            row = _member_row(source, facts, key, given, in_digest=key not in members)
        except TableRefused as refusal:
            yield 0, BadRow(0, str(refusal), place)
            continue
        yield 0, row
    yield from read_roles(source, place, members.keys() | digest_members.keys())


def _member_row(
    source: Mailman21List, facts: Mapping[str, Mapping[str, Any]], key: str, given: object, *, in_digest: bool
) -> PersonRow:
    cased = _plain(given) if isinstance(given, str | bytes) and given else key
    address = read_address(cased if cased.lower() == key else key)
    options = facts["user_options"].get(key, 0)
    options = options if isinstance(options, int) else 0
    language = _plain(facts["language"].get(key, ""))
    remarks = []
    raw_name = facts["usernames"].get(key)
    name, sure = decode_name(raw_name, (source.language, language)) if isinstance(raw_name, str | bytes) else ("", True)
    if not sure:
        remarks.append(f"the character set of the name {name!r} is a guess")
    digest_mode = DeliveryMode.DIGEST_PLAIN if options & _PLAIN_DIGEST else DeliveryMode.DIGEST_MIME
    suppressions, evidence, remark = _delivery(source, key, facts, options)
    flags = {
        "own_posts": (options & _NO_OWN_POSTS, False),
        "copies": (options & _NO_COPIES, False),
        "moderated": (options & _MODERATED, True),
    }
    return PersonRow(
        address=address,
        name=clean_name(name),
        language=read_language(language) if language else None,
        attributes={},
        delivery_mode=digest_mode if in_digest else DeliveryMode.EACH,
        preferences={flag: value for flag, (is_set, value) in flags.items() if is_set},
        suppressions=suppressions,
        evidence=evidence,
        remarks=tuple(filter(None, (*remarks, remark))),
    )


def _delivery(
    source: Mailman21List, key: str, facts: Mapping[str, Mapping[str, Any]], options: int
) -> tuple[tuple[SuppressionEntry, ...], Mapping[str, str], str]:
    """The suppressions that a member's delivery status and bounces say, evidence, and a remark."""
    status, since = _delivery_status(facts["delivery_status"].get(key), options)
    score, bounced_at = _bounces(facts["bounce_info"].get(key))
    limit = source.attributes.get("bounce_score_threshold")
    limit = float(limit) if isinstance(limit, int | float) and limit > 0 else _BOUNCE_LIMIT
    if status == _BY_BOUNCE or (status == _ENABLED and score >= limit):
        return suppress(SuppressionReason.BOUNCED, since=since or bounced_at), {}, ""
    if status != _ENABLED:
        evidence = BY_OWNER if status == _BY_OWNER else {}
        remark = "" if status in {_BY_USER, _BY_OWNER} else "letters were off for a reason that Mailman does not know"
        return suppress(SuppressionReason.PAUSED, since=since), evidence, remark
    return (), {}, f"bounce score {score:g} of {limit:g}" if score else ""


def _delivery_status(entry: object, options: int) -> tuple[int, datetime | None]:
    """The code of a member's delivery status, and since when. An unknown code stays one that is not _ENABLED."""
    code, since = (*entry, None, None)[:2] if isinstance(entry, tuple) else (entry, None)
    if not isinstance(code, int):
        code = _ENABLED if code is None else -1
    if code == _ENABLED and options & _DISABLED:
        return -1, None
    return code, read_epoch(since)


def _bounces(record: object) -> tuple[float, datetime | None]:
    """The bounce score, and the day of the latest bounce."""
    if not isinstance(record, PickledBounces):
        return 0.0, None
    entries = {_plain(key): value for key, value in record.items()}
    score, day = entries.get("score"), entries.get("date")
    try:
        bounced_at = datetime(day[0], day[1], day[2], tzinfo=UTC) if isinstance(day, tuple) else None
    except (IndexError, OverflowError, TypeError, ValueError):
        bounced_at = None
    return float(score) if isinstance(score, int | float) else 0.0, bounced_at


def read_roles(source: Mailman21List, place: str, members: Collection[str] = ()) -> Iterator[ReadRow]:
    """Owners, moderators, bans, who is no member but known, and what of the list does not come along."""
    yield from _nonmember_rows(source, members, place)
    for attribute, role in (("moderator", ListRole.MODERATOR), ("owner", ListRole.OWNER)):
        for address in source.texts(attribute):
            yield 0, role_row(address, f"{place}, {attribute}", role=role)
    for entry in source.texts("ban_list"):
        if entry.startswith(("^", "@")):
            yield 0, LeftBehind(f"ban_list: {entry}", "a pattern, not an address: shown to the owner")
        else:
            banned = suppress(SuppressionReason.BANNED)
            yield 0, role_row(entry, f"{place}, ban_list", suppressions=banned, evidence=BY_OWNER)
    yield from _left_behind(source)


def _nonmember_rows(source: Mailman21List, members: Collection[str], place: str) -> Iterator[ReadRow]:
    seen = set(members)
    for attribute, may_post in _NONMEMBER_LISTS.items():
        for entry in source.texts(attribute):
            if entry.startswith(("^", "@")):
                what = "a pattern, not an address" if entry.startswith("^") else "another list's members"
                yield 0, LeftBehind(f"{attribute}: {entry}", f"{what}: who may write is not taken over")
            elif entry.lower() not in seen:
                seen.add(entry.lower())
                fields = {"role": ListRole.NONMEMBER, "preferences": {"may_post": may_post}}
                yield 0, role_row(entry, f"{place}, {attribute}", **fields)


def role_row(entry: str, place: str, **fields: Any) -> PersonRow | BadRow:
    """The row of somebody who is no reader."""
    try:
        return PersonRow(address=read_address(entry), attributes={}, state=None, **fields)
    except TableRefused as refusal:
        return BadRow(0, str(refusal), place)


def _left_behind(source: Mailman21List) -> Iterator[ReadRow]:
    for attribute in _TEXTS:
        if _DEFAULT_WORDS.sub("", source.text(attribute)):
            yield 0, LeftBehind(attribute, "a text of the list: put it into the list's settings or templates here")
    if source.attributes.get("topics") and source.attributes.get("topics_userinterest"):
        yield 0, LeftBehind("topics", "which topics members chose to get is not taken over")


def _plain(value: object) -> str:
    """A text of ASCII as Mailman stores it; octets that are no UTF-8 are read as Latin-1."""
    return decode_name(value, ("fr",))[0] if isinstance(value, str | bytes) else ""
