"""A mailing list one may join, and the addresses that belong to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from mailer.domain.command_address import RESERVED_NAMES, split_command
from mailer.errors import ListFooterRefused, ListNameRefused

MAX_NAME_OCTETS = 26
MAX_ADDRESS_LINES, MAX_LINE_LENGTH = 6, 300
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, kw_only=True, slots=True)
class MailingList:
    """A list: who writes, in which language, and who answers for it."""

    id: int
    name: str
    """The local part of its address; at most 26 octets, so that `name-confirm+TOKEN` fits 64."""
    title: str
    """What people read: "Open Appeals"."""
    description: str
    language: str
    """The language of letters to people whose own is not known."""
    owner: str
    """The address of who answers for the list."""
    quiet_until: datetime | None = None
    """Until then strangers who ask to join are not answered: hardly any of the last ones confirmed."""
    hard_after: int = 1
    """So many letters in a row that came back for good, and none goes to that mailbox any more."""
    soft_limit: int = 3
    """So many points of letters that came back for now, and it is asked whether anybody is there."""
    postal_address: str | None = None
    """Of who writes, line by line: it stands at the end of each campaign's letters."""
    reason: str | None = None
    """Why its readers get letters, in its own language; None says that they subscribed."""

    def is_throttled(self, now: datetime) -> bool:
        """Whether strangers are not answered at this hour."""
        return self.quiet_until is not None and now < self.quiet_until


def check_postal_address(text: str) -> str | None:
    """A postal address of a few lines; None for an empty one. ListWordsRefused."""
    lines = [line.strip() for line in text.strip().splitlines()]
    if len(lines) > MAX_ADDRESS_LINES:
        raise ListFooterRefused(f"the postal address has {len(lines)} lines; {MAX_ADDRESS_LINES} is the most")
    return "\n".join(_check_line(line, "each line of the postal address") for line in lines) or None


def check_reason(text: str) -> str | None:
    """A sentence on why readers get a list's letters; None for an empty one. ListWordsRefused."""
    return _check_line(text.strip(), "the reason") or None


def _check_line(line: str, what: str) -> str:
    if len(line) > MAX_LINE_LENGTH or not line.isprintable():
        raise ListFooterRefused(f"{what} must be words on one line, at most {MAX_LINE_LENGTH} characters")
    return line


def check_list_name(name: str) -> str:
    """`name`, or ListNameRefused with the reason."""
    if not _NAME.fullmatch(name):
        raise ListNameRefused(f"{name!r} must be lower-case letters, digits and single hyphens between them")
    if len(name) > MAX_NAME_OCTETS:
        raise ListNameRefused(
            f"{name!r} has {len(name)} characters; {MAX_NAME_OCTETS} is the most that fits an address"
        )
    if name in RESERVED_NAMES:
        raise ListNameRefused(f"{name!r} is an address of the service itself")
    parent, command, _ = split_command(name)
    if command is not None:
        raise ListNameRefused(f"{name!r} would shadow a command address of a list called {parent!r}")
    return name
