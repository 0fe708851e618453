"""Check that the DNS publishes the DKIM keys that the service signs with."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from mailer.domain.health_check import HealthCheck, unreachable
from mailer.errors import DnsUnavailable
from mailer.mail.dkim.dns_record import check_key_record
from mailer.mail.dkim.signing import Signer
from mailer.network.dns import Dns


async def check_keys(dns: Dns, signers: Sequence[Signer]) -> list[HealthCheck]:
    """One check for each signer, in their order."""
    return list(await asyncio.gather(*(_check_key(dns, signer) for signer in signers)))


async def _check_key(dns: Dns, signer: Signer) -> HealthCheck:
    try:
        texts = await dns.texts(signer.record_name)
    except DnsUnavailable as error:
        return unreachable(f"dkim {signer.record_name}", error)
    return check_key_record(signer, texts)
