"""The rules against bombing: how many letters strangers may cause, to whom, and when a list had better be quiet."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mailer.settings.intake_tables import ShieldSettings

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MAX_AUTHENTICATED_PER_DAY = 20
"""Letters a day to somebody whose domain stands behind what they write: no more, or we are in a loop."""
MAX_DEFERRED_PER_MAILBOX = 20
"""Requests that wait at once for the same mailbox; of more nothing is kept at all."""
THROTTLED_FOR = timedelta(days=1)
CHECK_INTERVAL = timedelta(minutes=10)
"""How often at most a list's last strangers are counted."""
_RESPONSE_PERIOD = timedelta(days=7)
_TIME_TO_CONFIRM = timedelta(hours=1)


class CounterKind(StrEnum):
    """What is counted; with whom or what it is counted of, the name of a tally."""

    MAILBOX = "mailbox"
    """Letters that somebody else may have caused, to one mailbox."""
    AUTHENTICATED = "proven"
    """Letters to one mailbox in answer to mail that is proven to be its own."""
    SOURCE = "source"
    """Requests from one source."""
    DOMAIN = "domain"
    """Letters to strangers at one domain."""
    AUTHENTICATED_DOMAIN = "proven domain"
    """Letters to the proven at one domain: forged requests must not use up the room of people who really write."""
    LIST = "list"
    """Letters to strangers about one list."""
    DEFERRED_REQUESTS = "held"
    """Requests put off, of one list."""
    CHECKED = "looked"
    """How often a list's last strangers were counted."""
    FORWARDED = "carried"
    """Mails that a program may have sent and that were carried to the owner of one list."""
    PURGED = "tidied"
    """How often the house was tidied."""
    ORPHANS_CHECKED = "watched"
    """How often deliveries that nobody would take were looked for."""
    EVIDENCE_ERASED_UP_TO = "swept"
    """Not a number of things but the last line of the consent record whose proofs were erased."""
    ACCEPTED = "accepted"
    """Letters of a campaign that were accepted; of "7 example.org", or, of all of campaign 7, of "7 "."""
    REFUSED = "refused"
    DEFERRED = "deferred"
    GOVERNED = "governed"
    """How often a campaign was resumed, or its letters to a provider held, and since when others are counted."""
    WEEKLY = "weekly"
    """Not a number of things but the last week that owners were told of: 202709."""
    SIGNATURE_SEEN = "heard"
    """Not a number of things but the mail that first came with a signature; of a hash of what it signs."""


LONG_LIVED_COUNTERS = frozenset(
    {
        CounterKind.ACCEPTED,
        CounterKind.REFUSED,
        CounterKind.DEFERRED,
        CounterKind.GOVERNED,
        CounterKind.WEEKLY,
        CounterKind.SIGNATURE_SEEN,
    }
)
"""What is counted for as long as a campaign may take, or for a week; signatures for longer than one is believed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """How many of something there may be in one span of time."""

    kind: CounterKind
    subject: str
    """Of whom or what: for people and sources an HMAC."""
    window: timedelta
    maximum: int


class RequestDecision(StrEnum):
    """What is done about a request."""

    SEND = "write"
    """A letter asks the person."""
    DEFER = "hold"
    """It waits, without a letter."""
    DROP = "drop"
    """Nothing is written anywhere."""


def letter_limits(
    shield: ShieldSettings,
    *,
    mailbox: str,
    domain: str,
    list_name: str | None,
    authenticated: bool,
    resend: bool = False,
) -> tuple[Limit, ...]:
    """What bounds one letter that a mail or a form causes, narrowest first.

    `second` is a person's wish for the same letter once more, which is bounded elsewhere. The proven are bounded by
    themselves and by their domain only: whoever owns a domain could have it stand behind any number of addresses.
    """
    if authenticated:
        return (
            Limit(kind=CounterKind.AUTHENTICATED, subject=mailbox, window=DAY, maximum=MAX_AUTHENTICATED_PER_DAY),
            Limit(kind=CounterKind.AUTHENTICATED_DOMAIN, subject=domain, window=HOUR, maximum=shield.per_domain),
        )
    of_mailbox = Limit(kind=CounterKind.MAILBOX, subject=mailbox, window=DAY, maximum=1)
    of_domain = Limit(kind=CounterKind.DOMAIN, subject=domain, window=HOUR, maximum=shield.per_domain)
    of_list = Limit(kind=CounterKind.LIST, subject=list_name or "", window=HOUR, maximum=shield.per_list)
    return (*(() if resend else (of_mailbox,)), of_domain, *((of_list,) if list_name else ()))


def source_network(source: str | None) -> str | None:
    """What a source is counted by: an IPv4 address, or the /64 that one customer has of IPv6 (RFC 6177 section 2).

    None where nobody is told apart by it: unknown, or this machine, which a proxy that does not say for whom it speaks
    looks like.
    """
    try:
        address = ipaddress.ip_address((source or "").partition("%")[0])
    except ValueError:
        return source or None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))


def response_window(quiet_until: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """Those asked from the first hour to the second show whether strangers of a list confirm.

    The last hour's may still do so; what led to an earlier silence does not count again.
    """
    return max(filter(None, (now - _RESPONSE_PERIOD, quiet_until))), now - _TIME_TO_CONFIRM


def has_collapsed(shield: ShieldSettings, *, asked: int, confirmed: int) -> bool:
    """Whether so few of the asked confirmed that others must be asking for them."""
    return asked >= shield.collapse_after and confirmed < shield.collapse_ratio * asked
