"""Amazon SNS as a server: its signing certificates, kept once fetched, and the confirming of a subscription."""

from __future__ import annotations

import asyncio

from cryptography.x509 import Certificate, load_pem_x509_certificate

from mailer.errors import FetchFailed
from mailer.network.https_fetch import HttpsClient

_MAX_CERTIFICATES = 20
_MAX_CONCURRENT_REQUESTS = 2


class SnsClient:
    """Asks for what is not known yet; a crowd of forged calls does not make us ask more than a little at once."""

    def __init__(self, fetch: HttpsClient | None = None) -> None:
        self._fetch = fetch or HttpsClient()
        self._certificates: dict[str, Certificate] = {}
        self._requests = asyncio.Semaphore(_MAX_CONCURRENT_REQUESTS)

    async def fetch_certificate(self, url: str, host: str) -> Certificate:
        """The certificate at `url` on `host`; FetchFailed."""
        if known := self._certificates.get(url):
            return known
        try:
            certificate = load_pem_x509_certificate(await self._get(url, host))
        except ValueError:
            raise FetchFailed(f"what {host} gave is not a certificate") from None
        while len(self._certificates) >= _MAX_CERTIFICATES:
            del self._certificates[next(iter(self._certificates))]
        self._certificates[url] = certificate
        return certificate

    async def confirm_subscription(self, url: str, host: str) -> None:
        """Say at `url` on `host` that we subscribe; FetchFailed."""
        await self._get(url, host)

    async def _get(self, url: str, host: str) -> bytes:
        if self._requests.locked():
            raise FetchFailed(f"{host} is being asked already")
        async with self._requests:
            return await self._fetch.get(url, host)
