"""Abuse limits: how many letters unauthenticated requests may cause, to whom, and when a list is throttled."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mailer.settings.intake_tables import ShieldSettings

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MAX_AUTHENTICATED_PER_DAY = 20
"""Automatic letters a day to an authenticated sender; more would mean a mail loop."""
MAX_SIGN_INS_PER_ADDRESS, MAX_SIGN_INS_PER_SOURCE = 10, 60
"""Sign-in letters an hour for one address, and requests to sign in an hour from one source."""
MAX_MENTIONS_PER_HOST, MAX_MENTIONS_PER_SOURCE, MAX_MENTIONS = 20, 30, 300
"""Webmentions an hour: from pages of one host, sent from one network, and of all."""
MAX_DEFERRED_PER_MAILBOX = 20
"""Deferred requests at once for one mailbox. Further ones are dropped."""
THROTTLED_FOR = timedelta(days=1)
CHECK_INTERVAL = timedelta(minutes=10)
"""The shortest time between two checks of a list's confirmation rate."""
_RESPONSE_PERIOD = timedelta(days=7)
_TIME_TO_CONFIRM = timedelta(hours=1)


class CounterKind(StrEnum):
    """What is counted. A counter is named by its kind and by whom or what it is about."""

    MAILBOX = "mailbox"
    """Letters to one mailbox for unauthenticated requests."""
    AUTHENTICATED = "proven"
    """Letters to one mailbox in answer to its own authenticated mail."""
    SOURCE = "source"
    """Requests from one source."""
    DOMAIN = "domain"
    """Letters to one domain for unauthenticated requests."""
    AUTHENTICATED_DOMAIN = "proven domain"
    """Letters to authenticated senders at one domain, which forged requests must not use up."""
    LIST = "list"
    """Letters about one list for unauthenticated requests."""
    DEFERRED_REQUESTS = "held"
    """Deferred requests of one list."""
    SIGN_IN_ADDRESS = "sign-in address"
    """Sign-in letters asked for one address, whether or not it is an organiser's."""
    SIGN_IN_SOURCE = "sign-in source"
    """Sign-in letters asked for, and codes typed, from one source."""
    MENTION_HOST = "mention host"
    """Webmentions from pages of one host."""
    MENTION_SOURCE = "mention source"
    """Webmentions sent from one network."""
    MENTIONS = "mentions"
    """All Webmentions."""
    FORWARDED = "carried"
    """Mails that look automatic and were forwarded to the owner of one list."""
    ACCEPTED = "accepted"
    """Letters of a campaign that were accepted; of "7 example.org", or, of all of campaign 7, of "7 "."""
    REFUSED = "refused"
    DEFERRED = "deferred"
    GOVERNED = "governed"
    """How often a campaign was resumed, or its letters to a provider held, and since when others are counted."""


LONG_LIVED_COUNTERS = frozenset(
    {
        CounterKind.ACCEPTED,
        CounterKind.REFUSED,
        CounterKind.DEFERRED,
        CounterKind.GOVERNED,
    }
)
"""Counters that are kept for as long as a campaign may take."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """The maximum of one counter in a window of time."""

    kind: CounterKind
    subject: str
    """Whom or what the counter is about: a domain or list name; for people and sources an HMAC."""
    window: timedelta
    maximum: int


class RequestDecision(StrEnum):
    """What is done about a request to join."""

    SEND = "write"
    """Send the confirmation letter."""
    DEFER = "hold"
    """Keep the request without a letter."""
    DROP = "drop"
    """Keep nothing."""


def letter_limits(
    shield: ShieldSettings,
    *,
    mailbox: str,
    domain: str,
    list_name: str | None,
    authenticated: bool,
    resend: bool = False,
) -> tuple[Limit, ...]:
    """The limits of one letter that a mail or form causes, narrowest first.

    `mailbox` is the HMAC of the mailbox key. With `resend` the limit of the mailbox is left out, since
    `may_send_confirmation` holds instead. An authenticated sender is limited by mailbox and by domain only; by domain,
    because the owner of a domain can authenticate any number of addresses.
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
    """The network by which requests from an IP address are counted: the IPv4 address, or the /64 (RFC 6177 section 2).

    None for an unknown source and for loopback, which is what a proxy without X-Forwarded-For looks like. Text that is
    no IP address is returned as it is.
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
    """The start and end of the time whose requests show what share of requests is confirmed.

    Requests of the last hour are left out, since they may still be confirmed; so are those before the last throttling.
    """
    return max(filter(None, (now - _RESPONSE_PERIOD, quiet_until))), now - _TIME_TO_CONFIRM


def has_collapsed(shield: ShieldSettings, *, asked: int, confirmed: int) -> bool:
    """Whether so few requests were confirmed that most must be forged."""
    return asked >= shield.collapse_after and confirmed < shield.collapse_ratio * asked
