"""This machine's own IP addresses, and which addresses are public."""

from __future__ import annotations

import contextlib
import socket
from ipaddress import ip_address, ip_network

from mailer.network.dns import IpAddress

_LOCAL_NETWORKS = [
    ip_network(network)
    for network in (
        *(
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.168.0.0/16",
        ),
        *("::/127", "fc00::/7", "fe80::/10"),
    )
]
_PROBE_TARGETS = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


def own_addresses() -> tuple[IpAddress, ...]:
    """The source address of packets to the internet, for IPv4 and IPv6; a local one behind NAT. Nothing is sent."""
    addresses = []
    for family, target in _PROBE_TARGETS:
        with socket.socket(family, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
            # Connecting a datagram socket only selects a route.
            probe.connect((target, 53))
            addresses.append(ip_address(probe.getsockname()[0]))
    return tuple(addresses)


def is_public(address: IpAddress) -> bool:
    """Whether the address means the same machine for everyone."""
    return not any(address in network for network in _LOCAL_NETWORKS)
