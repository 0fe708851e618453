"""Another server on the web, for tests: HTTPS on loopback under any name, with answers that are given to it.

async with WebElsewhere("sns.eu-west-1.amazonaws.com") as web:
    web.answers["/x.pem"] = http_answer(b"...")
    await web.fetch().get("https://sns.eu-west-1.amazonaws.com/x.pem", "sns.eu-west-1.amazonaws.com")
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mailer.network.https_fetch import HttpsClient
from tests.support.provider_calls import certificate, pem


def http_answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """A whole answer."""
    head = (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers)
    return "\r\n".join((*head, "", "")).encode() + body


class FakeWebServer:
    """Answers by path, as it is told; `asked` keeps every path."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.answers: dict[str, bytes | None] = {}
        """By path, or by method and path ("HEAD /x"), which goes first. None: no answer ever."""
        self.requested_paths: list[str] = []
        self.requests: list[str] = []
        """Method and path of each."""
        self.port = 0
        key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = pem(certificate(key, "Somebody", hosts=(host,)))
        self._key = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    async def __aenter__(self) -> FakeWebServer:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "pem"
            file.write_bytes(self._key + self._certificate)
            context.load_cert_chain(file)
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    def make_ssl_context(self) -> ssl.SSLContext:
        """Its own certificate is believed."""
        return ssl.create_default_context(cadata=self._certificate.decode())

    async def connect_address(self, _host: str) -> Sequence[tuple[str, int]]:
        """Every name leads here."""
        return [("127.0.0.1", self.port)]

    def fetch(self, **changed: Any) -> HttpsClient:
        return HttpsClient(**({"resolve": self.connect_address, "make_ssl_context": self.make_ssl_context} | changed))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            method, asked = (await reader.readuntil(b"\r\n\r\n")).decode().split()[:2]
            self.requested_paths.append(asked)
            self.requests.append(f"{method} {asked}")
            otherwise = self.answers.get(asked, http_answer(b"", "404 Not Found"))
            answer = self.answers.get(f"{method} {asked}", otherwise)
            if answer is None:
                await reader.read()
            else:
                writer.write(answer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
