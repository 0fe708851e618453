"""A mailing list, and the rules for its name and for the text at the end of its letters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from mailer.domain.command_address import RESERVED_NAMES, split_command
from mailer.errors import ListDesignRefused, ListFooterRefused, ListLimitRefused, ListNameRefused

MAX_NAME_OCTETS = 26
MAX_BOUNCE_LIMIT = 1000
MAX_ADDRESS_LINES, MAX_LINE_LENGTH = 6, 300
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class ArchiveMode(StrEnum):
    """Who may read a list's letters on the web."""

    PUBLIC = "public"
    SUBSCRIBERS = "subscribers"
    """Whoever has the link of a letter, as long as its reader is subscribed."""
    OFF = "off"


@dataclass(frozen=True, kw_only=True, slots=True)
class MailingList:
    """A mailing list: its name, texts, owner and limits."""

    id: int
    name: str
    """The local part of its address; at most 26 octets, so that `name-confirm+TOKEN` fits 64."""
    title: str
    """The name that people read: "Open Appeals"."""
    description: str
    language: str
    """The language tag of letters to people whose own language is not known."""
    owner: str
    """The address of the person who answers for the list."""
    quiet_until: datetime | None = None
    """Until then the list is throttled: it defers unauthenticated requests, since too few were confirmed."""
    hard_after: int = 1
    """Suppress an address for bounces after this many hard bounces in a row."""
    soft_limit: int = 3
    """Ask by letter whether mail reaches a person at this many points of soft bounces."""
    postal_address: str | None = None
    """The sender's postal address, line by line; it stands at the end of each campaign's letters."""
    reason: str | None = None
    """Why readers get these letters, in the list's language; with None the letters say that they subscribed."""
    zone: str = "UTC"
    """The IANA name of the time zone in which hours of this list are meant."""
    testers: tuple[str, ...] = ()
    """Addresses that test letters go to."""
    needs_approval: bool = False
    """Whether another organiser than the one who schedules must approve a campaign."""
    accent_color: str | None = None
    """The colour of links and buttons in its letters, as #1b6b59; None: the templates' own."""
    logo: str | None = None
    """The path of a picture (see MediaFile) that stands at the top of its letters."""
    archive: ArchiveMode | None = None
    """Who may read its letters on the web; None: the owner has not chosen yet, and nobody may."""
    segments: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Conditions on readers by name, as `city == "Izmir"`; letters use them as `{% if segment.izmir %}`."""

    def is_throttled(self, now: datetime) -> bool:
        """Whether unauthenticated requests to join are deferred at this time."""
        return self.quiet_until is not None and now < self.quiet_until


def check_postal_address(text: str) -> str | None:
    """The postal address with its lines stripped; None for an empty one. Raises ListFooterRefused."""
    lines = [line.strip() for line in text.strip().splitlines()]
    if len(lines) > MAX_ADDRESS_LINES:
        raise ListFooterRefused(f"the postal address has {len(lines)} lines; the most is {MAX_ADDRESS_LINES}")
    return "\n".join(_check_line(line, "each line of the postal address") for line in lines) or None


def check_reason(text: str) -> str | None:
    """The sentence on why readers get a list's letters, stripped; None for an empty one. Raises ListFooterRefused."""
    return _check_line(text.strip(), "the reason") or None


def _check_line(line: str, what: str) -> str:
    if len(line) > MAX_LINE_LENGTH or not line.isprintable():
        raise ListFooterRefused(f"{what} must be words on one line, at most {MAX_LINE_LENGTH} characters")
    return line


def check_archive_mode(word: str) -> ArchiveMode:
    """The mode of this name. Raises ListDesignRefused."""
    if word not in tuple(ArchiveMode):
        raise ListDesignRefused(
            f"{word!r} does not say who may read its letters on the web: public, subscribers or off"
        )
    return ArchiveMode(word)


def check_bounce_limit(number: int) -> int:
    """The number, if bounces can be counted up to it. Raises ListLimitRefused."""
    if not 1 <= number <= MAX_BOUNCE_LIMIT:
        raise ListLimitRefused(f"{number} is no limit for bounces: it is a whole number from 1 to {MAX_BOUNCE_LIMIT}")
    return number


def check_list_name(name: str) -> str:
    """Return `name` where it can be a mailing list's. Raises ListNameRefused with the reason."""
    if not _NAME.fullmatch(name):
        raise ListNameRefused(f"{name!r} must be lower-case letters, digits and single hyphens between them")
    if len(name) > MAX_NAME_OCTETS:
        raise ListNameRefused(
            f"{name!r} has {len(name)} characters; the most is {MAX_NAME_OCTETS}, so that its command addresses fit 64"
        )
    if name in RESERVED_NAMES:
        raise ListNameRefused(f"{name!r} is an address of the service itself; choose another name")
    parent, command, _ = split_command(name)
    if command is not None:
        raise ListNameRefused(
            f"{name!r} would shadow a command address of a list called {parent!r}; choose another ending"
        )
    return name
