"""Who may be at the mail door at once: so many in all, so many from one address, and the idle go first."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_IPV6_PREFIX_BITS = 64
"""Bits of an IPv6 address that one customer has to himself: whoever has one has them all."""


class LimitedSession(Protocol):
    """A session, as far as the others at the door are concerned."""

    client: str
    """The IP address it comes from."""
    idle_since: float | None
    """On the loop's clock; None while it is not us who wait for a command."""

    def close_with_reply(self, reply: str) -> None:
        """End it, with these last words."""

    def abort(self) -> None:
        """Drop its connection."""


@dataclass(kw_only=True, slots=True)
class ConnectionLimits:
    """The sessions that are open."""

    most_connections: int
    most_per_address: int
    own_servers: tuple[Network, ...]
    """Our own mail servers: however many come, and they are the last to be dismissed."""
    proxies: tuple[Network, ...] = ()
    """Load balancers, which are many clients until they have told of each whom they bring."""
    closing: bool = False
    """The door closes: nobody comes in, and whoever has had an answer goes."""
    sessions: dict[LimitedSession, str] = field(default_factory=dict)
    """Each with its household: what counts as one address."""
    connections_by_group: Counter[str] = field(default_factory=Counter)

    def is_own(self, client: str) -> bool:
        """Whether it is a mail server of ours."""
        return is_in_networks(client, self.own_servers)

    def admit(self, session: LimitedSession) -> str | None:
        """Let it in, where need be in place of the one that has been idle longest; or the reply that turns it away.

        Asked again once a PROXY line has told where it comes from.
        """
        self.forget(session)
        group = _address_group(session.client)
        if self.closing:
            return "421 4.3.2 Closing for now, try again later"
        if self.connections_by_group[group] >= self.most_per_address and not is_in_networks(
            session.client, self.own_servers + self.proxies
        ):
            return "421 4.7.0 Too many connections from your address"
        if len(self.sessions) >= self.most_connections and not self._make_room():
            return "421 4.3.2 Too many connections, try again later"
        self.sessions[session] = group
        self.connections_by_group[group] += 1
        return None

    def forget(self, session: LimitedSession) -> None:
        """It has gone, or is going; twice is no error."""
        group = self.sessions.pop(session, None)
        if group is not None:
            self.connections_by_group[group] -= 1
            if not self.connections_by_group[group]:
                del self.connections_by_group[group]

    def _make_room(self) -> bool:
        """Dismiss one that only holds its place: a stranger first, of the household that has most, the longest idle."""
        idle = [(session, since) for session in self.sessions if (since := session.idle_since) is not None]
        if not idle:
            return False

        def eviction_order(one: tuple[LimitedSession, float]) -> tuple[bool, int, float]:
            guest, since = one
            return self.is_own(guest.client), -self.connections_by_group[self.sessions[guest]], since

        session, _ = min(idle, key=eviction_order)
        self.forget(session)
        session.close_with_reply("421 4.3.2 Others are waiting, and you say nothing")
        return True


def is_in_networks(client: str, networks: Iterable[Network]) -> bool:
    """Whether an IP address lies in one of the networks; what is no address lies in none."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return any(mapped in network for network in networks)


def parse_networks(given: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks, as the settings have them."""
    return tuple(ipaddress.ip_network(one) for one in given)


def _address_group(client: str) -> str:
    if ":" not in client:
        return client
    return str(ipaddress.ip_network((client.partition("%")[0], _IPV6_PREFIX_BITS), strict=False))
