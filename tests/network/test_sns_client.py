"""SNS certificates are fetched once, and few requests are open at once."""

from __future__ import annotations

import asyncio

from mailer.network.sns_client import SnsClient
from tests.support.fake_web_server import FakeWebServer, http_answer
from tests.support.provider_calls import CERTIFICATE, SNS_HOST, ProviderKeys, certificate, pem


async def test_a_certificate_is_fetched_once_and_an_invalid_answer_again():
    path = CERTIFICATE.removeprefix(f"https://{SNS_HOST}")
    async with FakeWebServer(SNS_HOST) as amazon:
        sns, shown = SnsClient(amazon.fetch()), pem(certificate(ProviderKeys().sns))
        for answer in (b"no certificate", shown, b"gone"):
            amazon.answers[path] = http_answer(answer)
            got = await asyncio.gather(sns.fetch_certificate(CERTIFICATE, SNS_HOST), return_exceptions=True)

    assert pem(got[0]) == shown
    assert amazon.requested_paths == [path] * 2


async def test_two_requests_at_once_are_the_maximum():
    async with FakeWebServer(SNS_HOST) as amazon:
        amazon.answers["/?x"] = None
        sns = SnsClient(amazon.fetch(timeout_s=0.2))
        requests = (sns.confirm_subscription(f"https://{SNS_HOST}/?x", SNS_HOST) for _ in range(6))
        errors = await asyncio.gather(*requests, return_exceptions=True)

    assert sum("too many requests" in str(error) for error in errors) == 4
