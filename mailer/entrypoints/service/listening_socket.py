"""A listening socket of our own, so that a taken port is told before anything else is begun."""

from __future__ import annotations

import errno
import socket

from mailer.errors import ListenAddressTaken, SettingsRefused

BACKLOG = 512
"""Connections that wait to be accepted; whoever serves the socket says it once more, as that listens again."""


def open_listening_socket(host: str, port: int, purpose: str) -> socket.socket:
    """A socket on the first address `host` resolves to (port 0: any free one).

    DoorTaken where another program listens, SettingsRefused where nobody could; `what` says what it is for.
    """
    try:
        family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        # "::" means everybody, and most of them still come over IPv4.
        dual_stack = host == "::" and socket.has_dualstack_ipv6()
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=dual_stack)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ListenAddressTaken(f"another program listens on {host} port {port}, which {purpose} needs") from None
        raise SettingsRefused(f"{purpose} cannot listen on {host} port {port}: {error.strerror}") from None
    listener.setblocking(False)
    return listener
