"""Which host a mail came from, as the Received fields that our own mail servers wrote tell it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from mailer.domain.incoming_message import Arrival
from mailer.mail.message.header_section import HeaderSection, header_section

_MOST_HOPS = 5
_LONGEST = 2000
_FROM = re.compile(r"from\s+(?=\S)", re.IGNORECASE)
# What stands before a comment that counts is white space: a HELO of "a(b" is no comment of the server's.
_PIECE = re.compile(r"\s*(?:(?<=\s)(?P<comment>\((?:[^()]|\([^()]*\))*\))(?=\s|;|$)|(?P<word>\S+))")
_LITERAL = re.compile(r"\[(?:IPv6:)?([0-9a-fA-F:.]+)\](?::\d+)?", re.IGNORECASE)
_HELO_COMMENT = re.compile(r"(?:HELO|EHLO)\s+(\S+)", re.IGNORECASE)
_HELO_WORD = re.compile(r"\b(?:helo|ident)=\S*", re.IGNORECASE)
_NAKED = re.compile(r"(?:[^\s@]*@)?([0-9a-fA-F:.]+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """The host outside that a mail came from."""

    address: str | None
    """Its IP address; None where it was written on a server of our own, or nothing tells."""
    helo: str | None = None
    """What it called itself, unchecked."""


NOWHERE = Source(address=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trail:
    """How a mail came to us."""

    source: Source
    ours: int
    """How many of its Received fields, from the top, are known to be of our own servers; 0: a stranger handed it in."""


def came_from(mail: bytes, arrival: Arrival, mail_servers: Sequence[str]) -> Source:
    """Where a mail came from; never fails, whatever its octets are.

    That is who handed it in; or, where that is one of our `mail_servers` (addresses and networks), whom its Received
    field names: the topmost, and below it at most four more as long as they name our own servers too (RFC 5321
    section 4.4). Further down, anybody may have written anything.
    """
    return trail(header_section(mail), arrival, mail_servers).source


def trail(section: HeaderSection, arrival: Arrival, mail_servers: Sequence[str]) -> Trail:
    """As `came_from`, with how many fields may be believed.

    The topmost Received field of a mail that was found in a mailbox is that of the mailbox's provider. Whom it names
    may be a stranger or another host of the provider's: it is followed where that is one of our `mail_servers`, or
    where it names nobody, and tells no source otherwise.
    """
    networks = _networks(tuple(mail_servers))
    client = _address(arrival.client or "")
    if client is None and arrival.mailbox is None:
        return Trail(source=NOWHERE, ours=0)
    if client is not None and not _among(client, networks):
        return Trail(source=Source(address=str(client), helo=arrival.helo), ours=0)
    hops = section.values("received")[:_MOST_HOPS]
    within = _handed_on_within(hops) if arrival.mailbox is not None else 0
    for number, hop in enumerate(hops[within:], within + 1):
        address, helo = read_hop(hop)
        if address is None or not _among(address, networks):
            told = address is not None and (number > within + 1 or arrival.mailbox is None)
            source = Source(address=str(address), helo=helo) if told else NOWHERE
            return Trail(source=source, ours=number)
    return Trail(source=NOWHERE, ours=len(hops))


def _handed_on_within(hops: Sequence[str]) -> int:
    """How many fields at the top name no sending host, before one that does: the provider's hosts handed it on."""
    return next((number for number, hop in enumerate(hops) if _FROM.match(hop)), 0)


def read_hop(value: str) -> tuple[IPv4Address | IPv6Address | None, str | None]:
    """The address and the HELO of the sending host in a Received field, as mail servers in use write it.

    `from helo (name [192.0.2.1])`: Postfix, sendmail, OpenSMTPD, Haraka, Stalwart; `from [192.0.2.1] (helo=x)` or
    `from name ([192.0.2.1] helo=x)`: Exim; `from name (HELO x) (192.0.2.1)`: qmail; `from name (192.0.2.1)`: Exchange.
    What the host called itself may look like an address, and is never taken for the one it has.
    """
    begin = _FROM.match(value[:_LONGEST])
    if begin is None:
        return None, None
    first, comments = "", []
    for piece in _PIECE.finditer(value[:_LONGEST], begin.end()):
        if comment := piece["comment"]:
            comments.append(comment[1:-1].strip())
        elif first or comments:
            break
        else:
            first = piece["word"]
    return _of_comments(comments) or _literal(first), _helo(first, comments)


def _of_comments(comments: Iterable[str]) -> IPv4Address | IPv6Address | None:
    """The address in the first comment that has one."""
    for comment in comments:
        if _HELO_COMMENT.fullmatch(comment):
            continue
        told = _HELO_WORD.sub("", comment).strip()
        literals = _LITERAL.findall(told)
        naked = _NAKED.fullmatch(told)
        # The last: what a host answered to ident stands before it.
        found = _address(literals[-1]) if literals else _address(naked[1]) if naked else None
        if found is not None:
            return found
    return None


def _literal(word: str) -> IPv4Address | IPv6Address | None:
    found = _LITERAL.fullmatch(word)
    return _address(found[1]) if found else None


def _helo(first: str, comments: Iterable[str]) -> str | None:
    for comment in comments:
        if found := _HELO_COMMENT.fullmatch(comment):
            return found[1]
        for word in comment.split():
            if word.lower().startswith("helo="):
                return word[5:] or None
    return first if first and _literal(first) is None else None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The address written, without its zone; one of version 4 written as ::ffff:192.0.2.1 is of version 4."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address


def _among(address: IPv4Address | IPv6Address, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    return any(address in network for network in networks)


@lru_cache(maxsize=8)
def _networks(texts: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(text) for text in texts)
