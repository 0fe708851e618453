"""Scanning the header of a mail while it is received: where it ends, its trace fields, and marks of mail loops."""

from __future__ import annotations

import re

# Mail programs read bare CR and LF as line ends, too, although RFC 5322 forbids them.
_NEWLINE = rb"(?:\r\n|\n|\r(?!\n))"
_VALUE = rb"[^\r\n]*(?:" + _NEWLINE + rb"[ \t][^\r\n]*)*"
_EMPTY_LINE = re.compile(rb"(?:\A|" + _NEWLINE + rb")" + _NEWLINE)
_TRACE_FIELDS = re.compile(
    rb"(?:(?:received|return-path|delivered-to|x-original-to|envelope-to|x-envelope-to)[ \t]*:"
    + _VALUE
    + _NEWLINE
    + rb")*",
    re.IGNORECASE,
)
_RECEIVED = re.compile(rb"(?:\A|[\r\n])received[ \t]*:", re.IGNORECASE)
_LIST_ID = re.compile(rb"(?:\A|[\r\n])list-id[ \t]*:(" + _VALUE + rb")", re.IGNORECASE)
_MESSAGE_ID = re.compile(rb"(?:\A|[\r\n])message-id[ \t]*:", re.IGNORECASE)
_IN_BRACKETS = re.compile(rb"<([^<>]*)>")
_OVERLAP = 3
"""An empty line may begin up to this many octets before the end of what was searched."""


def find_header_end(octets: bytes | bytearray, searched: int = 0) -> int | None:
    """The length of the header, including the empty line; None if its end is not there yet.

    The first `searched` octets are known not to contain its end.
    """
    found = _EMPTY_LINE.search(octets, max(0, searched - _OVERLAP))
    return found.end() if found else None


def find_trace_end(header: bytes | bytearray) -> int:
    """The length of the leading fields that each server adds (RFC 5321 section 4.4).

    The rest is the same each time that the mail is handed in.
    """
    found = _TRACE_FIELDS.match(header)
    return found.end() if found else 0


def count_received(header: bytes | bytearray) -> int:
    """The number of Received fields; a mail loop adds to them (RFC 5321 section 6.3)."""
    return len(_RECEIVED.findall(header))


def has_message_id(header: bytes | bytearray) -> bool:
    """Whether there is a Message-ID (RFC 5322 section 3.6.4), so that no other mail has the same octets."""
    return _MESSAGE_ID.search(header) is not None


def has_list_id_of(domain: str, header: bytes | bytearray) -> bool:
    """Whether a List-Id (RFC 2919) names a list of this domain: the mail is a letter of ours that came back."""
    ours = domain.lower().encode("ascii", "replace")
    for value in _LIST_ID.findall(header):
        for named in _IN_BRACKETS.findall(value) or [value]:
            list_id = b"".join(named.split()).lower()
            if list_id == ours or list_id.endswith(b"." + ours):
                return True
    return False
