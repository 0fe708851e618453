"""A reverse proxy for tests: real HTTP on loopback, in front of pages that are reached below a path.

    async with PrefixProxy("/lists", keeps_prefix=False) as proxy:
        proxy.port_behind = ...
        ... GET http://127.0.0.1:proxy.port/lists/join/appeals arrives behind it as /join/appeals ...

It answers 502 to whatever is not below the path, and tells what proxies tell: whom it forwards for, and that it was
reached by https under another name.
"""

from __future__ import annotations

import asyncio


class PrefixProxy:
    """One connection for each request; `keeps_prefix` hands the path on as it came."""

    def __init__(self, prefix: str, *, keeps_prefix: bool) -> None:
        self.prefix, self.keeps_prefix = prefix, keeps_prefix
        self.port = self.backend_port = 0

    async def __aenter__(self) -> PrefixProxy:
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line, *fields = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        method, path, version = line.split()
        named = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        body = await reader.readexactly(int(named.get("content-length", 0)))
        below = path[len(self.prefix) :]
        if path.startswith(self.prefix) and (not below or below[0] in "/?"):
            named |= {"connection": "close", "x-forwarded-proto": "https", "x-forwarded-host": "elsewhere.example"}
            named["x-forwarded-for"] = "198.51.100.7"
            head = [f"{method} {path if self.keeps_prefix else below or '/'} {version}"]
            head += [f"{name}: {value}" for name, value in named.items()]
            behind, to = await asyncio.open_connection("127.0.0.1", self.backend_port)
            to.write("\r\n".join((*head, "", "")).encode("latin-1") + body)
            writer.write(await behind.read())
            to.close()
        else:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
