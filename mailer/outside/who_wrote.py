"""Who really wrote a mail: what our own mail server says, else DKIM, else SPF, for the domain in From (DMARC)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from mailer.domain.arrival import Arrival
from mailer.domain.proof import Proof, ProvenBy
from mailer.mail.authentication_results import passed_at_host
from mailer.mail.author import sole_author
from mailer.mail.header_section import HeaderSection, header_section
from mailer.mail.received import trail
from mailer.outside.check_dkim import check_dkim
from mailer.outside.check_spf import check_spf
from mailer.outside.dns import Dns

_MOST_S = 5.0

_Check = Callable[[], Awaitable[tuple[str | None, str]]]


async def who_wrote(
    dns: Dns | None,
    mail: bytes,
    arrival: Arrival,
    *,
    mail_servers: Sequence[str],
    authserv_ids: Sequence[str],
    within_s: float = _MOST_S,
) -> Proof:
    """Whether the domain in From stands behind a mail, found out in `within_s` seconds at most; never fails.

    `mail` is all of its octets, in the spool or not. `mail_servers` are addresses and networks of our own servers,
    which may hand in others' mail, `authserv_ids` the names they sign their findings with. A mail must name one author
    in one From field, and us in To or Cc: a signature shows who wrote, not to whom it went, and whoever has some signed
    mail of hers could hand it in to us. Nothing is asked of the DNS where our own server has said it (RFC 8601), or
    where neither a signature nor a sender could count. Unproven is what no record shows, and what the DNS did not tell
    in time: `why` says which.
    """
    section = header_section(mail)
    author = sole_author(section)
    if author is None or not section.whole:
        return Proof(by=None, why="From is not one plain address" if section.whole else "the header is too long")
    way = trail(section, arrival, mail_servers)
    to_us = _names_us(section, arrival)
    if to_us and (said := passed_at_host(section, way.ours, authserv_ids, author.domain)):
        return Proof(by=ProvenBy.HOST, domain=author.domain, why=f"our mail server says {said}")
    if dns is None:
        return Proof(by=None, domain=author.domain, why="there is no DNS to ask")
    checks: dict[ProvenBy, _Check] = {
        ProvenBy.DKIM: lambda: check_dkim(dns, mail, section, author.domain),
        ProvenBy.SPF: lambda: check_spf(dns, arrival.sender, way.source, author.domain),
    }
    if not to_us:
        del checks[ProvenBy.DKIM]
    return await _ask(checks, author.domain, within_s)


def _names_us(section: HeaderSection, arrival: Arrival) -> bool:
    named = " ".join([*section.values("to"), *section.values("cc")]).lower()
    return any(recipient.lower() in named for recipient in arrival.recipients)


async def _ask(checks: Mapping[ProvenBy, _Check], author: str, within_s: float) -> Proof:
    told = []
    for by, check in checks.items():
        try:
            # Half of the time each: what is silent about the one shall not keep us from the other.
            async with asyncio.timeout(within_s / len(checks)):
                domain, why = await check()
        except TimeoutError:
            domain, why = None, f"not told within {within_s / len(checks):g} s"
        told.append(f"{by.value.upper()}: {why}")
        if domain is not None:
            return Proof(by=by, domain=author, why=told[-1])
    return Proof(by=None, domain=author, why="; ".join(told))
