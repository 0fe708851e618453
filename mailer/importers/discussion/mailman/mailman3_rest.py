"""Read answers of Mailman 3's REST API, saved as JSON: rosters, preferences, addresses, bans, requests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
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

MAX_JSON = 64 << 20
"""The largest file, in octets. Mailman gives rosters in pages."""
_MAX_DEPTH = 8
_OWNER = re.compile(r"(members|addresses|users)/([^/]+)(?:/all)?/preferences$")
_NAMED_OWNER = re.compile(r"(?:member[-_])?([0-9a-f]{32})(?:[-_]preferences)?\.json", re.IGNORECASE)
_ACTIONS = ("hold", "reject", "discard", "accept", "defer")
_NO_TIME = "0001-01-01"


@dataclass(slots=True)
class _Answers:
    """What all files hold, by what it is."""

    members: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    """Each with the name of its file."""
    preferences: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By the id of a member or user, or by an address."""
    addresses: dict[str, dict[str, Any]] = field(default_factory=dict)
    bans: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    requests: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    bounce_limit: int | None = None
    total: int = 0
    """The most members of a roster, as its pages say."""


def read_rest_answers(files: Sequence[SourceFile], options: ReadOptions) -> tuple[list[ReadRow], list[str]]:
    """The rows of all files together, and what was guessed. Raises TableRefused."""
    answers = _Answers()
    for file in files:
        for value in _parse_json(file):
            _sort_in(value, file.base_name, answers, _MAX_DEPTH)
    list_ids = {found for one, _ in answers.members if (found := _list_id(one))}
    list_id = choose_list_id(list_ids, options.source_list)
    members = [(one, place) for one, place in answers.members if not list_id or _list_id(one) in {list_id, None}]
    rows = list(read_members((_member(one, place, answers) for one, place in members), answers.bounce_limit))
    rows += _bans(answers, list_id)
    rows += _requests(answers, list_id)
    return rows, list(_guesses(answers, members))


def _guesses(answers: _Answers, members: Sequence[tuple[dict[str, Any], str]]) -> Iterator[str]:
    readers = sum(one.get("role", "member") == "member" for one, _ in members)
    if readers and not answers.preferences and not any("preferences" in one for one, _ in members):
        yield "no preferences of members (members/ID/preferences): whose letters are off is not known"
    if readers < answers.total and len({_list_id(one) for one, _ in answers.members}) == 1:
        yield f"{readers} of {answers.total} members are in these files: are pages missing?"


def _parse_json(file: SourceFile) -> Iterator[object]:
    """The values of a file: one, or one a line."""
    if file.size > MAX_JSON:
        raise TableRefused(f"{file.base_name} has {file.size} octets: save the roster in pages (?count=1000&page=1)")
    with file.open() as octets:
        text = octets.read()
    try:
        yield json.loads(text)
        return
    except RecursionError:
        raise TableRefused(f"{file.base_name} is nested too deeply") from None
    except ValueError as trouble:
        if not str(trouble).startswith("Extra data"):
            raise TableRefused(f"{file.base_name} is no JSON: {trouble}") from None
    for number, line in enumerate(text.splitlines(), 1):
        try:
            if line.strip():
                yield json.loads(line)
        except (RecursionError, ValueError):
            raise TableRefused(f"{file.base_name} is no JSON: line {number}") from None


def _sort_in(value: object, place: str, answers: _Answers, depth: int) -> None:
    """Sort an answer, or all answers within it, by what they are."""
    if depth == 0:
        return
    if isinstance(value, list):
        for one in value:
            _sort_in(one, place, answers, depth - 1)
    elif isinstance(value, dict) and not _sort_object_in(value, place, answers):
        entries = value.get("entries")
        if isinstance(entries, list) and any(isinstance(one, dict) and one.get("role") == "member" for one in entries):
            total = value.get("total_size")
            answers.total = max(answers.total, total if isinstance(total, int) else 0)
        for key, one in value.items():
            if isinstance(one, dict) and (match := _OWNER.search(key)):
                answers.preferences[match[2].lower()] = one
            else:
                _sort_in(one, place, answers, depth - 1)


def _sort_object_in(value: dict[str, Any], place: str, answers: _Answers) -> bool:
    """Whether it is an answer about one thing."""
    owner = _preferences_owner(value, place)
    if owner:
        answers.preferences[owner] = value
    elif _email(value) and ("role" in value or "delivery_mode" in value):
        answers.members.append((value, place))
    elif "token" in value and "email" in value:
        answers.requests.append((value, place))
    elif "email" in value and ("registered_on" in value or "original_email" in value):
        answers.addresses[str(value["email"]).lower()] = value
    elif _is_ban(value, place):
        answers.bans.append((value, place))
    else:
        limit = value.get("bounce_score_threshold")
        answers.bounce_limit = limit if isinstance(limit, int) else answers.bounce_limit
        return False
    return True


def _is_ban(value: dict[str, Any], place: str) -> bool:
    """Whether it is a ban of a list, or of the whole site, which names no list."""
    is_of_bans = "list_id" in value or "/bans/" in str(value.get("self_link", "")) or place.lower().startswith("ban")
    return is_of_bans and isinstance(value.get("email", value.get("banned_email")), str)


def _preferences_owner(value: dict[str, Any], place: str) -> str | None:
    """Whose preferences these are; None where they are none."""
    if match := _OWNER.search(str(value.get("self_link", ""))):
        return match[2].lower()
    named = _NAMED_OWNER.fullmatch(place)
    is_preferences = not {"delivery_status", "preferred_language", "receive_own_postings"}.isdisjoint(value)
    return named[1].lower() if named and is_preferences and "email" not in value else None


def _email(value: dict[str, Any]) -> str | None:
    """Before 3.1 `address` was the address; since then it is a link to it."""
    for key in ("email", "address"):
        if isinstance(found := value.get(key), str) and "@" in found and "/" not in found:
            return found
    return None


def _member(value: dict[str, Any], place: str, answers: _Answers) -> Mailman3Member:
    email = _email(value) or ""
    preferences = _preferences(value, email, answers)
    address = answers.addresses.get(email.lower())
    score = value.get("bounce_score")
    return Mailman3Member(
        email=str(address.get("original_email") or email) if address else email,
        role=str(value.get("role", "member")),
        place=place,
        name=_text(value.get("display_name")) or _text((address or {}).get("display_name")),
        mode=_text(value.get("delivery_mode")) or _text(preferences.get("delivery_mode")),
        status=_text(preferences.get("delivery_status", value.get("delivery_status"))),
        moderation_action=_action(value.get("moderation_action")),
        bounce_score=score if isinstance(score, int) else 0,
        last_bounce_at=_time(value.get("last_bounce_received")),
        language=_text(preferences.get("preferred_language")),
        own_posts=preferences.get("receive_own_postings"),
        list_copy=preferences.get("receive_list_copy"),
        is_verified=None if address is None else bool(address.get("verified_on")),
        verified_at=_time((address or {}).get("verified_on")),
    )


def _preferences(value: dict[str, Any], email: str, answers: _Answers) -> dict[str, Any]:
    """A member's preferences, from those of the user, the address and the membership: the later win."""
    member = str(value.get("member_id") or str(value.get("self_link", "")).rpartition("/")[2]).lower()
    user = str(value.get("user", "")).rpartition("/")[2].lower()
    own = value.get("preferences")
    merged: dict[str, Any] = {}
    for one in (*(answers.preferences.get(key) for key in (user, email.lower(), member)), own):
        if isinstance(one, dict):
            merged |= {key: found for key, found in one.items() if found is not None}
    return merged


def _bans(answers: _Answers, list_id: str | None) -> Iterator[ReadRow]:
    bans = []
    for value, place in answers.bans:
        if list_id and _list_id(value) not in {list_id, None}:
            continue
        email = str(value.get("email") or value.get("banned_email") or "")
        bans.append(Mailman3Ban(email=email, place=place, everywhere=_is_of_site(value)))
    yield from read_bans(bans)


def _is_of_site(value: dict[str, Any]) -> bool:
    return _list_id(value) is None and "/lists/" not in str(value.get("self_link", ""))


def _requests(answers: _Answers, list_id: str | None) -> Iterator[ReadRow]:
    for value, place in answers.requests:
        is_subscription = value.get("type", "subscription") == "subscription"
        if is_subscription and (not list_id or _list_id(value) in {list_id, None}):
            yield read_request(str(value["email"]), _text(value.get("display_name")), place, _time(value.get("when")))


def _list_id(value: dict[str, Any]) -> str | None:
    return _text(value.get("list_id"))


def _action(value: object) -> str | None:
    """An action's name, or its number in old versions."""
    if isinstance(value, int):
        return _ACTIONS[value] if 0 <= value < len(_ACTIONS) else None
    return _text(value)


def _text(value: object) -> str | None:
    return value or None if isinstance(value, str) else None


def _time(value: object) -> datetime | None:
    """Mailman's times are in UTC and say no zone."""
    return parse_export_time(value, zone="UTC") if isinstance(value, str) and not value.startswith(_NO_TIME) else None
