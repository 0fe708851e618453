"""LegacyList: where readers of a list may still write and click to, from letters that other software sent."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict

from mailer.domain.command_address import split_command


class LegacySoftware(StrEnum):
    """Software whose links are understood."""

    MAILMAN21 = "mailman21"
    MAILMAN3 = "mailman3"
    LISTMONK = "listmonk"
    PHPLIST = "phplist"
    SYMPA = "sympa"
    OTHER = "other"
    """Any: only its addresses are taken over, and pages below `paths` ask for the reader's address."""


LINK_PREFIXES: Mapping[LegacySoftware, tuple[str, ...]] = {
    LegacySoftware.MAILMAN21: ("/mailman", "/cgi-bin/mailman", "/pipermail"),
    LegacySoftware.MAILMAN3: ("/mailman3", "/postorius", "/accounts", "/hyperkitty", "/archives"),
    LegacySoftware.LISTMONK: ("/subscription",),
    LegacySoftware.PHPLIST: ("/lists",),
    LegacySoftware.SYMPA: ("/sympa", "/wws"),
    LegacySoftware.OTHER: (),
}
"""With what the paths of its links begin, where it is installed as usual."""
_SHARED_NAMES = frozenset({"sympa", "majordomo", "listserv", "ecartis", "minimalist"})
"""Names of addresses to which the commands for all lists of other software go, in subject or body."""
_MODES = re.compile(r"(?<=[+-])(subscribe|unsubscribe|join|leave)-(?:digest|nomail|both)(?=$|\+)")
"""mlmmj's addresses for kinds of reading: `talk+unsubscribe-digest@`."""
_OWNERS = re.compile(r"[+-](?:admin|editor|owner)$")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_UNIQUE_ID = re.compile(r"[0-9a-f]{16,64}")
_JOINING = frozenset({"optin", "subscribe", "confirm", "form"})
"""The first segment of links by which people join, or confirm that they want to; for phpList the value of `p`."""
_MESSAGE_ID_HASH = re.compile(r"[A-Z2-7]{32}")
_PIPERMAIL_PAGE = re.compile(r"(\d{6,9})\.html", re.ASCII)
_OBSCURED_AT = "--at--"


@dataclass(frozen=True, kw_only=True, slots=True)
class LegacyList:
    """One list that moved here."""

    list_name: str
    """Our list."""
    software: LegacySoftware
    name: str
    """What the list is called in the links of the other software: `talk`, `talk.lists.example.org`."""
    addresses: tuple[str, ...] = ()
    """The list's own address elsewhere: `talk@lists.example.org`. Those of its commands follow from it."""
    paths: tuple[str, ...] = ()
    """With what the paths of its links begin."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LegacyLink:
    """What a link of other software says."""

    list_name: str | None = None
    """Our list; None where the link names none."""
    token: str | None = None
    """What the other software knows its reader by."""
    address: str | None = None
    """The reader's address, where the link holds it: anybody may have written it."""
    is_for_joining: bool = False
    message_id_hash: str | None = None
    """Of a letter in the archive of Mailman 3 (EarlierLetter.message_id_hash)."""
    number: int | None = None
    """Of a letter in the archive of Mailman 2.1."""


def find_own_address(address: str, domain: str, legacy_lists: Iterable[LegacyList]) -> str | None:
    """The address of ours to which mail for an address of other software goes; None for an unknown address.

    `talk-leave@lists.example.org` becomes `appeals-leave@` our domain, and `sympa@` becomes `appeals-request@`.
    """
    local, _, its_domain = address.casefold().rpartition("@")
    local = _MODES.sub(r"\1", local)
    for one in legacy_lists:
        for theirs in one.addresses:
            base, _, at = theirs.casefold().rpartition("@")
            if at != its_domain:
                continue
            if base in _SHARED_NAMES and local in {base, f"{base}-request"}:
                return f"{one.list_name}-request@{domain}"
            rest = local.removeprefix(base)
            if local.startswith(base) and _is_of_list(rest):
                return f"{one.list_name}{_OWNERS.sub('-owner', rest)}@{domain}"
    return None


def _is_of_list(rest: str) -> bool:
    """Whether what follows the list's name in a local part is nothing, a detail, or a command."""
    command = rest.partition("+")[0]
    return not command or _OWNERS.fullmatch(command) is not None or split_command(f"x{command}")[0] == "x"


def with_own_addresses(addresses: Iterable[str], domain: str, legacy_lists: Sequence[LegacyList]) -> frozenset[str]:
    """These addresses, and those of ours that they stand for."""
    named = frozenset(addresses)
    return named | {own for one in named if (own := find_own_address(one, domain, legacy_lists))}


def legacy_domains(legacy_lists: Iterable[LegacyList]) -> frozenset[str]:
    """The domains of all their addresses, in lower case."""
    return frozenset(one.rpartition("@")[2].lower() for legacy in legacy_lists for one in legacy.addresses)


def parse_link(path: str, query: Mapping[str, str], legacy_lists: Sequence[LegacyList]) -> LegacyLink | None:
    """What the link with this path and query says; None where its path is none of these lists'."""
    for one in legacy_lists:
        for prefix in one.paths:
            if path == prefix or path.startswith(f"{prefix.rstrip('/')}/"):
                candidates = [other for other in legacy_lists if other.software is one.software]
                return _parse_rest(path[len(prefix) :].strip("/").split("/"), query, one.software, candidates)
    return None


def _parse_rest(
    segments: list[str], query: Mapping[str, str], software: LegacySoftware, candidates: list[LegacyList]
) -> LegacyLink:
    named = {one.name.casefold(): one.list_name for one in candidates}
    names = [named[_list_segment(segment)] for segment in segments if _list_segment(segment) in named]
    list_name = names[0] if names else candidates[0].list_name if len(candidates) == 1 else None
    token = None
    if software is LegacySoftware.LISTMONK:
        # /subscription/CAMPAIGN/SUBSCRIBER, and /subscription/optin/SUBSCRIBER
        token = segments[-1].lower() if len(segments) == 2 and _UUID.fullmatch(segments[-1].lower()) else None
    elif software is LegacySoftware.PHPLIST:
        token = query.get("uid", "").lower()
        token = token if _UNIQUE_ID.fullmatch(token) or _UUID.fullmatch(token) else None
    joins = segments[0] in _JOINING or query.get("p") in _JOINING
    return LegacyLink(
        list_name=list_name,
        token=token,
        address=_address_in(segments, named),
        is_for_joining=joins,
        **_letter_in(segments),
    )


def _list_segment(segment: str) -> str:
    """The list's name in a segment of a path: Mailman 3 writes both `talk.lists.example.org` and `talk@...`."""
    return segment.casefold().replace("@", ".", 1) if segment.count("@") == 1 else segment.casefold()


def _address_in(segments: list[str], list_names: Container[str]) -> str | None:
    found = [
        one.replace(_OBSCURED_AT, "@")
        for one in segments[1:]
        if ("@" in one or _OBSCURED_AT in one) and _list_segment(one) not in list_names
    ]
    return found[-1] if found else None


class _LetterKey(TypedDict, total=False):
    message_id_hash: str
    number: int


def _letter_in(segments: list[str]) -> _LetterKey:
    """What names a letter in HyperKitty's `message/HASH`, or in pipermail's `2026-November/000012.html`."""
    if len(segments) > 1 and segments[-2] in {"message", "thread"} and _MESSAGE_ID_HASH.fullmatch(segments[-1].upper()):
        return {"message_id_hash": segments[-1].upper()}
    page = _PIPERMAIL_PAGE.fullmatch(segments[-1])
    return {"number": int(page[1])} if page else {}


def token_digest(token: str) -> str:
    """What is kept of a token of other software, in hexadecimal: whoever reads the database cannot use it."""
    return hashlib.sha256(token.lower().encode()).hexdigest()
