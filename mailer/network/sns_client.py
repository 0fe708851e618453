"""Amazon SNS as a server: its signing certificates, kept once fetched, and the confirming of a subscription."""

from __future__ import annotations

import asyncio

from cryptography.x509 import Certificate, load_pem_x509_certificate

from mailer.errors import FetchFailed
from mailer.network.https_fetch import Fetch

_MOST_KEPT = 20
_MOST_AT_ONCE = 2


class Sns:
    """Asks for what is not known yet; a crowd of forged calls does not make us ask more than a little at once."""

    def __init__(self, fetch: Fetch | None = None) -> None:
        self._fetch = fetch or Fetch()
        self._certificates: dict[str, Certificate] = {}
        self._asking = asyncio.Semaphore(_MOST_AT_ONCE)

    async def certificate(self, url: str, host: str) -> Certificate:
        """The certificate at `url` on `host`; FetchFailed."""
        if known := self._certificates.get(url):
            return known
        try:
            certificate = load_pem_x509_certificate(await self._get(url, host))
        except ValueError:
            raise FetchFailed(f"what {host} gave is not a certificate") from None
        while len(self._certificates) >= _MOST_KEPT:
            del self._certificates[next(iter(self._certificates))]
        self._certificates[url] = certificate
        return certificate

    async def confirm(self, url: str, host: str) -> None:
        """Say at `url` on `host` that we subscribe; FetchFailed."""
        await self._get(url, host)

    async def _get(self, url: str, host: str) -> bytes:
        if self._asking.locked():
            raise FetchFailed(f"{host} is being asked already")
        async with self._asking:
            return await self._fetch.get(url, host)
