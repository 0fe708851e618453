"""The addresses of our domain: `appeals-join@`, `appeals-confirm+TOKEN@`, `postmaster@` and so on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

ROLE_NAMES = frozenset({"postmaster", "abuse"})
RETURN_PATH_NAME = "bounce"
COMPLAINT_NAME = "cfbl"
"""The address to which providers report our letters that a reader marks as spam (RFC 9477)."""
RESERVED_NAMES = ROLE_NAMES | {
    RETURN_PATH_NAME,
    COMPLAINT_NAME,
    "mailer-daemon",
    "root",
    "admin",
    "hostmaster",
    "webmaster",
    "security",
}
_RELAY_SYNTAX = re.compile(r"[%!@\s\x00-\x1f\x7f]")
"""Characters in a local part that would make some servers relay the mail."""
_QUOTED_PAIR = re.compile(r"\\(.)")


class Command(StrEnum):
    """What an address of ours is for."""

    JOIN = "join"
    LEAVE = "leave"
    REQUEST = "request"
    """The command is in the subject or the body (RFC 2142 section 6)."""
    HELP = "help"
    CONFIRM = "confirm"
    REPLY = "reply"
    """A reader's reply to a letter of the list; the token identifies the reader."""
    OWNER = "owner"
    POST = "post"
    """The list's own address. Lists are announcement lists, so the owner gets the mail."""
    ROLE = "role"
    """postmaster or abuse (RFC 5321 section 4.5.1, RFC 2142)."""
    RETURN_PATH = "bounce"
    COMPLAINT = "cfbl"
    """A provider's report of spam; the token, if any, names the delivery."""


_COMMAND_SUFFIXES = {
    "join": Command.JOIN,
    "subscribe": Command.JOIN,
    "leave": Command.LEAVE,
    "unsubscribe": Command.LEAVE,
    "request": Command.REQUEST,
    "help": Command.HELP,
    "confirm": Command.CONFIRM,
    "reply": Command.REPLY,
    "owner": Command.OWNER,
}
_PLUS_COMMANDS = {
    name: command for name, command in _COMMAND_SUFFIXES.items() if command not in {Command.CONFIRM, Command.REPLY}
}
"""Commands after a plus, as in other mailing list software: `appeals+subscribe@`."""
_SUFFIX = re.compile(
    r"(?P<name>.+)-(?:(?P<joining>join|subscribe)-(?P<language>[a-z]{2,3}(?:-[a-z0-9]{2,4})?)"
    rf"|(?P<command>{'|'.join(_COMMAND_SUFFIXES)}))"
)


@dataclass(frozen=True, slots=True)
class CommandAddress:
    """An address of ours, parsed."""

    command: Command
    list_name: str | None
    token: str | None = None
    language: str | None = None


def parse_local_part(local: str) -> CommandAddress:
    """Parse a local part of our domain. The list need not exist."""
    base, _, detail = local.casefold().partition("+")
    if base in ROLE_NAMES:
        return CommandAddress(Command.ROLE, None)
    if base == RETURN_PATH_NAME:
        return CommandAddress(Command.RETURN_PATH, None, detail or None)
    if base == COMPLAINT_NAME:
        return CommandAddress(Command.COMPLAINT, None, detail or None)
    name, command, language = split_command(base)
    if command is None and detail in _PLUS_COMMANDS:
        return CommandAddress(_PLUS_COMMANDS[detail], name)
    return CommandAddress(command or Command.POST, name, detail or None, language)


def split_command(base: str) -> tuple[str, Command | None, str | None]:
    """`appeals-join-tr` -> ("appeals", JOIN, "tr"); `appeals` -> ("appeals", None, None)."""
    match = _SUFFIX.fullmatch(base)
    if match is None:
        return base, None, None
    return match["name"], _COMMAND_SUFFIXES[match["joining"] or match["command"]], match["language"]


def parse_own_address(address: str, domain: str) -> str | None:
    """An address of our `domain` as we write it, also for a bare `postmaster` (RFC 5321 section 4.5.1); else None.

    None for another domain, and for a local part that asks to relay the mail (RFC 5321 appendices C and F.2).
    """
    if address.lower() == "postmaster":
        return f"postmaster@{domain}"
    local, _, its_domain = address.rpartition("@")
    if its_domain.lower() != domain.lower():
        return None
    if len(local) > 1 and local[0] == local[-1] == '"':
        local = _QUOTED_PAIR.sub(r"\1", local[1:-1])
    return None if _RELAY_SYNTAX.search(local) else f"{local}@{its_domain}"
