"""What the name of a file says that Mailman printed: whose addresses are in it, by the options of the command."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from mailer.domain.subscription import DeliveryMode


class ListingRole(StrEnum):
    """Whom `mailman members --role` prints."""

    MEMBER = "member"
    OWNER = "owner"
    MODERATOR = "moderator"
    ADMINISTRATOR = "administrator"
    """Owners and moderators."""
    NONMEMBER = "nonmember"
    ANY = "any"


class ListingStatus(StrEnum):
    """Whom --nomail prints: members whose letters are off, and why; or those whose letters are on."""

    ENABLED = "enabled"
    ANY = "any"
    """Off for any reason."""
    UNKNOWN = "unknown"
    BY_ADMIN = "byadmin"
    BY_USER = "byuser"
    BY_BOUNCE = "bybounce"


@dataclass(frozen=True, kw_only=True, slots=True)
class ListingName:
    """The options that a file's name names."""

    role: ListingRole = ListingRole.MEMBER
    mode: DeliveryMode | None = None
    """None where members of all modes are printed."""
    status: ListingStatus | None = None
    moderated: bool = False


_PREFIX = re.compile(r"(?<![A-Za-z])(?:mailman3?[-_ ]*)?(?:list[-_]?members|members|subscribers)", re.IGNORECASE)
_EXTENSION = re.compile(r"\.(?:txt|lst|list|out|csv)$", re.IGNORECASE)
_REASON = re.compile(r"by[-_ ]?(?=user|admin|owner|moderator|bounce)", re.IGNORECASE)
_FLAGS_TOGETHER = re.compile(r"[frpdn]{2,4}")
_DIGESTS = {
    "mime": DeliveryMode.DIGEST_MIME,
    "summary": DeliveryMode.DIGEST_MIME,
    "plain": DeliveryMode.DIGEST_PLAIN,
    "plaintext": DeliveryMode.DIGEST_PLAIN,
}
_STATUSES = {
    "enabled": ListingStatus.ENABLED,
    "unknown": ListingStatus.UNKNOWN,
    "byuser": ListingStatus.BY_USER,
    "byadmin": ListingStatus.BY_ADMIN,
    "byowner": ListingStatus.BY_ADMIN,
    "bymoderator": ListingStatus.BY_ADMIN,
    "bybounce": ListingStatus.BY_BOUNCE,
    "bybounces": ListingStatus.BY_BOUNCE,
}
_ROLES = {f"{role}{end}": role for role in ListingRole if role is not ListingRole.ANY for end in ("", "s")}


def parse_listing_name(base_name: str) -> ListingName:
    """Parse a name like `list_members-f-d-mime.txt` or `members-nomail-bybounces.txt`; other words are ignored."""
    stem = _REASON.sub("by", _EXTENSION.sub("", base_name))
    words = [part for word in re.findall(r"[A-Za-z]+", _PREFIX.sub("", stem, count=1)) for part in _split_flags(word)]
    lower = [word.lower() for word in words]
    role = next((_ROLES[word] for word in lower if word in _ROLES), ListingRole.MEMBER)
    if role is ListingRole.MEMBER and _means_any_role(lower):
        role = ListingRole.ANY
    return ListingName(
        role=role, mode=_mode(words, lower), status=_status(words, lower), moderated=_is_moderated(words, lower)
    )


def _split_flags(word: str) -> list[str]:
    return list(word) if _FLAGS_TOGETHER.fullmatch(word) and len(set(word)) == len(word) else [word]


def _means_any_role(lower: list[str]) -> bool:
    """Whether "any" stands for the role, not for a kind of digest or a reason."""
    return any(
        word == "any" and (at == 0 or lower[at - 1] not in {"d", "digest", "digests", "n", "nomail"})
        for at, word in enumerate(lower)
    )


def _mode(words: list[str], lower: list[str]) -> DeliveryMode | None:
    kind = next((_DIGESTS[word] for word in lower if word in _DIGESTS), None)
    if kind or "d" in words or not {"digest", "digests"}.isdisjoint(lower):
        return kind or DeliveryMode.DIGEST
    return DeliveryMode.EACH if "r" in words or "regular" in lower else None


def _status(words: list[str], lower: list[str]) -> ListingStatus | None:
    status = next((_STATUSES[word] for word in lower if word in _STATUSES), None)
    return status or (ListingStatus.ANY if "n" in words or "nomail" in lower else None)


def _is_moderated(words: list[str], lower: list[str]) -> bool:
    return "m" in words or ("moderated" in lower and "non" not in lower)
