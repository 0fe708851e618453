"""One HTTP/1.1 request and its response over an open connection, of bounded size."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import httptools

from mailer.errors import FetchFailed

_READ_OCTETS = 16 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpResponse:
    """What a server answered."""

    status: int
    headers: dict[str, str]
    """By lower-case name; of a field that is repeated the last."""
    body: bytes


async def exchange(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    request: bytes,
    *,
    host: str,
    most_octets: int,
    with_body: bool = True,
) -> HttpResponse:
    """Send the request, read the whole response (or its header alone), and close the connection.

    Raises FetchFailed, which names `host`, for a response that is cut off or has more than `most_octets` octets, header
    included; OSError, and httptools.HttpParserError or HttpParserUpgrade for what is not HTTP.
    """
    try:
        writer.write(request)
        response = _ResponseReader()
        parser = httptools.HttpResponseParser(response)
        octets_read = 0
        while not (response.complete if with_body else response.has_header):
            octets = await reader.read(_READ_OCTETS)
            octets_read += len(octets)
            if not octets or octets_read > most_octets:
                raise FetchFailed(f"{host} {'answers too much' if octets else 'closed the connection too early'}")
            parser.feed_data(octets)
    finally:
        writer.transport.abort()
    return HttpResponse(status=parser.get_status_code(), headers=response.headers, body=bytes(response.body))


@dataclass(slots=True)
class _ResponseReader:
    """Collects what httptools parses."""

    body: bytearray = field(default_factory=bytearray)
    headers: dict[str, str] = field(default_factory=dict)
    has_header: bool = False
    complete: bool = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1").strip()

    def on_headers_complete(self) -> None:
        self.has_header = True

    def on_body(self, octets: bytes) -> None:
        self.body += octets

    def on_message_complete(self) -> None:
        self.complete = True
