"""A listening socket of our own, so that a taken port is told before anything else is begun."""

from __future__ import annotations

import errno
import socket

from mailer.errors import DoorTaken, SettingsRefused

BACKLOG = 512
"""Connections that wait to be accepted; whoever serves the socket says it once more, as that listens again."""


def listen(host: str, port: int, what: str) -> socket.socket:
    """A socket on the first address `host` resolves to (port 0: any free one).

    DoorTaken where another program listens, SettingsRefused where nobody could; `what` says what it is for.
    """
    try:
        family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        # "::" means everybody, and most of them still come over IPv4.
        both = host == "::" and socket.has_dualstack_ipv6()
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=both)
    except OSError as trouble:
        if trouble.errno == errno.EADDRINUSE:
            raise DoorTaken(f"another program listens on {host} port {port}, which {what} needs") from None
        raise SettingsRefused(f"{what} cannot listen on {host} port {port}: {trouble.strerror}") from None
    listener.setblocking(False)
    return listener
