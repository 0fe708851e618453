"""Who may be at the mail door at once: so many in all, so many from one address, and the idle go first."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_ONE_HOUSE = 64
"""Bits of an IPv6 address that one customer has to himself: whoever has one has them all."""


class Guest(Protocol):
    """A session, as far as the others at the door are concerned."""

    client: str
    """The IP address it comes from."""
    idle_since: float | None
    """On the loop's clock; None while it is not us who wait for a command."""

    def dismiss(self, reply: str) -> None:
        """End it, with these last words."""

    def abort(self) -> None:
        """Drop its connection."""


@dataclass(kw_only=True, slots=True)
class Guests:
    """The sessions that are open."""

    most: int
    most_per_address: int
    own: tuple[Network, ...]
    """Our own mail servers: however many come, and they are the last to be dismissed."""
    proxies: tuple[Network, ...] = ()
    """Load balancers, which are many clients until they have told of each whom they bring."""
    leaving: bool = False
    """The door closes: nobody comes in, and whoever has had an answer goes."""
    sessions: dict[Guest, str] = field(default_factory=dict)
    """Each with its household: what counts as one address."""
    households: Counter[str] = field(default_factory=Counter)

    def is_own(self, client: str) -> bool:
        """Whether it is a mail server of ours."""
        return within(client, self.own)

    def admit(self, guest: Guest) -> str | None:
        """Let it in, where need be in place of the one that has been idle longest; or the reply that turns it away.

        Asked again once a PROXY line has told where it comes from.
        """
        self.forget(guest)
        household = _household(guest.client)
        if self.leaving:
            return "421 4.3.2 Closing for now, try again later"
        if self.households[household] >= self.most_per_address and not within(guest.client, self.own + self.proxies):
            return "421 4.7.0 Too many connections from your address"
        if len(self.sessions) >= self.most and not self._make_room():
            return "421 4.3.2 Too many connections, try again later"
        self.sessions[guest] = household
        self.households[household] += 1
        return None

    def forget(self, guest: Guest) -> None:
        """It has gone, or is going; twice is no error."""
        household = self.sessions.pop(guest, None)
        if household is not None:
            self.households[household] -= 1
            if not self.households[household]:
                del self.households[household]

    def _make_room(self) -> bool:
        """Dismiss one that only holds its place: a stranger first, of the household that has most, the longest idle."""
        idle = [(guest, since) for guest in self.sessions if (since := guest.idle_since) is not None]
        if not idle:
            return False

        def patience(one: tuple[Guest, float]) -> tuple[bool, int, float]:
            guest, since = one
            return self.is_own(guest.client), -self.households[self.sessions[guest]], since

        guest, _ = min(idle, key=patience)
        self.forget(guest)
        guest.dismiss("421 4.3.2 Others are waiting, and you say nothing")
        return True


def within(client: str, networks: Iterable[Network]) -> bool:
    """Whether an IP address lies in one of the networks; what is no address lies in none."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return any(mapped in network for network in networks)


def networks(given: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks, as the settings have them."""
    return tuple(ipaddress.ip_network(one) for one in given)


def _household(client: str) -> str:
    if ":" not in client:
        return client
    return str(ipaddress.ip_network((client.partition("%")[0], _ONE_HOUSE), strict=False))
