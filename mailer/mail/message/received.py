"""The host that a mail came from, by the Received fields that our own mail servers wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from mailer.domain.incoming_message import IncomingMessage
from mailer.mail.message.header_section import HeaderSection

_MAX_HOPS = 5
_MAX_CHARACTERS = 2000
_FROM = re.compile(r"from\s+(?=\S)", re.IGNORECASE)
# Only a comment after white space is the server's: a HELO of "a(b" contains none.
_PIECE = re.compile(r"\s*(?:(?<=\s)(?P<comment>\((?:[^()]|\([^()]*\))*\))(?=\s|;|$)|(?P<word>\S+))")
_LITERAL = re.compile(r"\[(?:IPv6:)?([0-9a-fA-F:.]+)\](?::\d+)?", re.IGNORECASE)
_HELO_COMMENT = re.compile(r"(?:HELO|EHLO)\s+(\S+)", re.IGNORECASE)
_HELO_WORD = re.compile(r"\b(?:helo|ident)=\S*", re.IGNORECASE)
_BARE_ADDRESS = re.compile(r"(?:[^\s@]*@)?([0-9a-fA-F:.]+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class SendingHost:
    """The host that handed a mail to the first of our servers."""

    address: str | None
    """The IP address; None if the mail was written on a server of ours, or if it is unknown."""
    helo: str | None = None
    """The name in HELO, not verified."""


UNKNOWN_HOST = SendingHost(address=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedPath:
    """The way of a mail to us."""

    source: SendingHost
    own_hops: int
    """How many Received fields, from the top, our own servers wrote; 0: the sending host handed the mail in to us."""


def trace_received(section: HeaderSection, message: IncomingMessage, mail_servers: Sequence[str]) -> ReceivedPath:
    """The host that a mail came from, and how many of its Received fields can be believed.

    The host is the one that handed the mail in. If that is one of our `mail_servers` (addresses and networks), the
    topmost Received field names the host, and if that is ours too the next, at most five fields down (RFC 5321 section
    4.4). Fields further down can be forged.

    The topmost Received field of a mail found in a mailbox was written by the mailbox's provider. The host that it
    names may be a sender or another host of the provider: it is followed if it is one of our `mail_servers`, or if the
    field names no host; otherwise the sending host is unknown.
    """
    networks = _parse_networks(tuple(mail_servers))
    client = _parse_ip(message.client or "")
    if client is None and message.mailbox is None:
        return ReceivedPath(source=UNKNOWN_HOST, own_hops=0)
    if client is not None and not _is_in_networks(client, networks):
        return ReceivedPath(source=SendingHost(address=str(client), helo=message.helo), own_hops=0)
    hops = section.values("received")[:_MAX_HOPS]
    within = _count_internal_hops(hops) if message.mailbox is not None else 0
    for number, hop in enumerate(hops[within:], within + 1):
        address, helo = parse_received(hop)
        if address is None or not _is_in_networks(address, networks):
            is_known = address is not None and (number > within + 1 or message.mailbox is None)
            source = SendingHost(address=str(address), helo=helo) if is_known else UNKNOWN_HOST
            return ReceivedPath(source=source, own_hops=number)
    return ReceivedPath(source=UNKNOWN_HOST, own_hops=len(hops))


def _count_internal_hops(hops: Sequence[str]) -> int:
    """The number of fields at the top that name no sending host, before one that does: hops within the provider."""
    return next((number for number, hop in enumerate(hops) if _FROM.match(hop)), 0)


def parse_received(value: str) -> tuple[IPv4Address | IPv6Address | None, str | None]:
    """The IP address and the HELO name of the sending host in a Received field, in the forms that servers write.

    `from helo (name [192.0.2.1])`: Postfix, sendmail, OpenSMTPD, Haraka, Stalwart; `from [192.0.2.1] (helo=x)` or
    `from name ([192.0.2.1] helo=x)`: Exim; `from name (HELO x) (192.0.2.1)`: qmail; `from name (192.0.2.1)`: Exchange.
    A HELO name that looks like an address is never taken for the host's address.
    """
    begin = _FROM.match(value[:_MAX_CHARACTERS])
    if begin is None:
        return None, None
    first, comments = "", []
    for piece in _PIECE.finditer(value[:_MAX_CHARACTERS], begin.end()):
        if comment := piece["comment"]:
            comments.append(comment[1:-1].strip())
        elif first or comments:
            break
        else:
            first = piece["word"]
    return _find_comment_address(comments) or _parse_literal(first), _find_helo(first, comments)


def _find_comment_address(comments: Iterable[str]) -> IPv4Address | IPv6Address | None:
    """The address in the first comment that contains one."""
    for comment in comments:
        if _HELO_COMMENT.fullmatch(comment):
            continue
        text = _HELO_WORD.sub("", comment).strip()
        literals = _LITERAL.findall(text)
        bare = _BARE_ADDRESS.fullmatch(text)
        # The last literal: the answer to ident, which the host chooses, comes before it.
        found = _parse_ip(literals[-1]) if literals else _parse_ip(bare[1]) if bare else None
        if found is not None:
            return found
    return None


def _parse_literal(word: str) -> IPv4Address | IPv6Address | None:
    found = _LITERAL.fullmatch(word)
    return _parse_ip(found[1]) if found else None


def _find_helo(first: str, comments: Iterable[str]) -> str | None:
    for comment in comments:
        if found := _HELO_COMMENT.fullmatch(comment):
            return found[1]
        for word in comment.split():
            if word.lower().startswith("helo="):
                return word[5:] or None
    return first if first and _parse_literal(first) is None else None


def _parse_ip(text: str) -> IPv4Address | IPv6Address | None:
    """The IP address, without its zone; ::ffff:192.0.2.1 is returned as IPv4. None if malformed."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address


def _is_in_networks(address: IPv4Address | IPv6Address, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    return any(address in network for network in networks)


@lru_cache(maxsize=8)
def _parse_networks(texts: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(text) for text in texts)
