"""Requests to Amazon SNS: fetching its signing certificates, which are cached, and confirming a subscription."""

from __future__ import annotations

import asyncio

from cryptography.x509 import Certificate, load_pem_x509_certificate

from mailer.errors import FetchFailed
from mailer.network.https_fetch import HttpsClient

_MAX_CERTIFICATES = 20
_MAX_CONCURRENT_REQUESTS = 2


class SnsClient:
    """At most two requests at once, so that many forged calls cannot make us send many requests."""

    def __init__(self, fetch: HttpsClient | None = None) -> None:
        self._fetch = fetch or HttpsClient()
        self._certificates: dict[str, Certificate] = {}
        self._requests = asyncio.Semaphore(_MAX_CONCURRENT_REQUESTS)

    async def fetch_certificate(self, url: str, host: str) -> Certificate:
        """The certificate at `url` on `host`, from the cache where it is there. Raises FetchFailed."""
        if known := self._certificates.get(url):
            return known
        try:
            certificate = load_pem_x509_certificate(await self._get(url, host))
        except ValueError:
            raise FetchFailed(f"the answer of {host} is not a certificate") from None
        while len(self._certificates) >= _MAX_CERTIFICATES:
            del self._certificates[next(iter(self._certificates))]
        self._certificates[url] = certificate
        return certificate

    async def confirm_subscription(self, url: str, host: str) -> None:
        """Confirm our subscription at `url` on `host`. Raises FetchFailed."""
        await self._get(url, host)

    async def _get(self, url: str, host: str) -> bytes:
        if self._requests.locked():
            raise FetchFailed(f"too many requests to {host} are open")
        async with self._requests:
            return await self._fetch.get(url, host)
