"""Who really wrote a mail: what our own mail server says, else DKIM, else SPF, for the domain in From (DMARC)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from mailer.domain.domain_alignment import may_be_one_organisation
from mailer.domain.incoming_message import Arrival
from mailer.domain.sender_authentication import Proof, ProvenBy
from mailer.mail.dkim.signature_header import DkimClaim, dkim_claims
from mailer.mail.message.authentication_results import passed_at_host
from mailer.mail.message.freshness import read_date, why_not_fresh
from mailer.mail.message.from_header import sole_author
from mailer.mail.message.header_section import HeaderSection, header_section
from mailer.mail.message.received import Trail, trail
from mailer.mail.message.recipients import addressed_to
from mailer.network.dkim_verify import check_dkim
from mailer.network.dns import Dns
from mailer.network.spf_verify import check_spf

_MOST_S = 5.0
_ONCE = ("from", "to", "cc", "subject", "date")

_Check = Callable[[], Awaitable[tuple[str | None, str]]]


async def who_wrote(
    dns: Dns | None,
    mail: bytes,
    arrival: Arrival,
    *,
    mail_servers: Sequence[str],
    authserv_ids: Sequence[str],
    now: datetime,
    within_s: float = _MOST_S,
) -> Proof:
    """Whether the domain in From stands behind a mail, found out in `within_s` seconds at most; never fails.

    `mail` is all of its octets, in the spool or not. `mail_servers` are addresses and networks of our own servers,
    which may hand in others' mail, `authserv_ids` the names they sign their findings with. A mail must name one author
    in one From field, be of these days, and name us in To or Cc: that it was written does not show to whom it was, and
    whoever has some mail of hers could hand it in to us. It proves nothing to recipients that it does not name, see
    `Proof.to`. Nothing is asked of the DNS where our own server has said it (RFC 8601), or where neither a signature
    nor a sender could count. Unproven is what no record shows, and what the DNS did not tell in time: `why` says which.
    """
    section = header_section(mail)
    author = sole_author(section)
    if author is None or not section.whole:
        return Proof(by=None, why="From is not one plain address" if section.whole else "the header is too long")
    if why := _why_doubtful(section, now):
        return Proof(by=None, domain=author.domain, why=why)
    named = await asyncio.to_thread(addressed_to, section)
    if not any(recipient.lower() in named for recipient in arrival.recipients):
        return Proof(by=None, domain=author.domain, why="neither To nor Cc names an address that it came to")
    way, claims = trail(section, arrival, mail_servers), dkim_claims(section, now)
    by, why = _told_by_host(section, way, authserv_ids, author.domain, claims)
    if by is None:
        by, why = await _ask(_checks(dns, mail, section, arrival, way, author.domain, now), within_s)
    digests = tuple(claim.digest for claim in claims)
    return Proof(by=by, domain=author.domain, why=why, named=named, digests=digests)


def _why_doubtful(section: HeaderSection, now: datetime) -> str | None:
    """What keeps a mail from proving anything, whoever vouches for it."""
    for name in _ONCE:
        if len(section.values(name)) > 1:
            return f"there are several {name.capitalize()} fields"
    for value in section.values("date"):
        at = read_date(value)
        return why_not_fresh(at, now) if at else "its Date is none"
    return None


def _told_by_host(
    section: HeaderSection, way: Trail, authserv_ids: Sequence[str], author: str, claims: Sequence[DkimClaim]
) -> tuple[ProvenBy | None, str]:
    """What our own mail server says; of a signature only if that is of these days, and covers what we go by.

    It checked whether the signature is valid, not for how long a mail is good, nor what else was put on top of it.
    Where it has taken the signatures away its word alone is left.
    """
    said = passed_at_host(section, way.ours, authserv_ids, author)
    if said is None:
        return None, ""
    signed = bool(section.values("dkim-signature")) and not said.by_envelope
    if signed and not any(claim.stale is None and may_be_one_organisation(claim.domain, author) for claim in claims):
        return None, ""
    return ProvenBy.HOST, f"our mail server says {said.what}"


def _checks(
    dns: Dns | None, mail: bytes, section: HeaderSection, arrival: Arrival, way: Trail, author: str, now: datetime
) -> Mapping[ProvenBy, _Check]:
    if dns is None:
        return {}
    return {
        ProvenBy.DKIM: lambda: check_dkim(dns, mail, section, author, now),
        ProvenBy.SPF: lambda: check_spf(dns, arrival.sender, way.source, author),
    }


async def _ask(checks: Mapping[ProvenBy, _Check], within_s: float) -> tuple[ProvenBy | None, str]:
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
            return by, told[-1]
    return None, "; ".join(told) or "there is no DNS to ask"
