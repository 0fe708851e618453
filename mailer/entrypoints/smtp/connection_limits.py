"""ConnectionLimits: how many SMTP connections may be open, in total and per client address."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_IPV6_PREFIX_BITS = 64
"""One customer usually has a whole /64 of IPv6 addresses, so it counts as one address."""


class LimitedSession(Protocol):
    """What ConnectionLimits needs of a session."""

    client: str
    """The client's IP address."""
    idle_since: float | None
    """Since when we wait for a command, on the event loop's clock; None while we do not."""

    def close_with_reply(self, reply: str) -> None:
        """End the session with this reply."""

    def abort(self) -> None:
        """Close the connection at once."""


@dataclass(kw_only=True, slots=True)
class ConnectionLimits:
    """The open sessions, and how many more are admitted."""

    most_connections: int
    most_per_address: int
    own_servers: tuple[Network, ...]
    """Our own mail servers: any number of connections, and the last ones to be closed for others."""
    proxies: tuple[Network, ...] = ()
    """Load balancers: any number of connections, until the PROXY header names the client of each."""
    closing: bool = False
    """The server is closing: nobody is admitted, and sessions end after their next reply."""
    sessions: dict[LimitedSession, str] = field(default_factory=dict)
    """The open sessions, each with the address group that it counts for."""
    connections_by_group: Counter[str] = field(default_factory=Counter)

    def is_own(self, client: str) -> bool:
        """Whether this address is one of our own mail servers."""
        return is_in_networks(client, self.own_servers)

    def admit(self, session: LimitedSession) -> str | None:
        """Admit a session and return None, or return the reply that refuses it; an idle one may be closed for it.

        Call it again when a PROXY header has named the client.
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
        """Remove a session that has ended or is ending; a second call does nothing."""
        group = self.sessions.pop(session, None)
        if group is not None:
            self.connections_by_group[group] -= 1
            if not self.connections_by_group[group]:
                del self.connections_by_group[group]

    def _make_room(self) -> bool:
        """Close the longest idle session of the largest group, our own servers last; False if none is idle."""
        idle = [(session, since) for session in self.sessions if (since := session.idle_since) is not None]
        if not idle:
            return False

        def eviction_order(one: tuple[LimitedSession, float]) -> tuple[bool, int, float]:
            session, since = one
            return self.is_own(session.client), -self.connections_by_group[self.sessions[session]], since

        session, _ = min(idle, key=eviction_order)
        self.forget(session)
        session.close_with_reply("421 4.3.2 Others are waiting, and you say nothing")
        return True


def is_in_networks(client: str, networks: Iterable[Network]) -> bool:
    """Whether an IP address lies in one of the networks; False for what is no IP address."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return any(mapped in network for network in networks)


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Parse addresses and networks as they stand in the settings."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def _address_group(client: str) -> str:
    if ":" not in client:
        return client
    return str(ipaddress.ip_network((client.partition("%")[0], _IPV6_PREFIX_BITS), strict=False))
