"""Opens listening sockets before anything else starts, so that a taken port is reported first."""

from __future__ import annotations

import errno
import socket

from mailer.errors import ListenAddressTaken, SettingsRefused

BACKLOG = 512
"""Connections that wait to be accepted; servers pass it again, because they call listen() again."""


def open_listening_socket(host: str, port: int, purpose: str) -> socket.socket:
    """Listen on the first address that `host` resolves to; port 0 takes any free port.

    Raises ListenAddressTaken if another program listens there, SettingsRefused if the address cannot be used; the
    message begins with `purpose`, such as "the web server".
    """
    try:
        family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        # "::" means all clients, and most of them still use IPv4.
        dual_stack = host == "::" and socket.has_dualstack_ipv6()
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=dual_stack)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ListenAddressTaken(
                f"another program listens on {host} port {port}, which {purpose} needs: "
                f"stop it, or set another port in settings.toml"
            ) from None
        raise SettingsRefused(
            f"{purpose} cannot listen on {host} port {port}: {error.strerror}; set an address of this machine"
        ) from None
    listener.setblocking(False)
    return listener
