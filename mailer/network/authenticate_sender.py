"""Who really wrote a mail: what our own mail server says, else DKIM, else SPF, for the domain in From (DMARC)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from mailer.domain.incoming_message import IncomingMessage
from mailer.domain.sender_authentication import AuthenticationMethod, SenderAuthentication, may_be_aligned
from mailer.mail.dkim.signature_header import DkimSignatureHeader, parse_dkim_signatures
from mailer.mail.message.address_fields import find_sole_author, parse_header_recipients
from mailer.mail.message.authentication_results import find_passed_check
from mailer.mail.message.freshness import find_date_problem, parse_date
from mailer.mail.message.header_section import HeaderSection
from mailer.mail.message.parsed_message import ParsedMessage
from mailer.mail.message.received import ReceivedPath, trace_received
from mailer.network.dkim_verify import verify_dkim
from mailer.network.dns import Dns
from mailer.network.spf_verify import verify_spf

_TIMEOUT_S = 5.0
_SINGLE_FIELDS = ("from", "to", "cc", "subject", "date")

_Check = Callable[[], Awaitable[tuple[str | None, str]]]


async def authenticate_sender(
    dns: Dns | None,
    mail: ParsedMessage,
    message: IncomingMessage,
    *,
    mail_servers: Sequence[str],
    authserv_ids: Sequence[str],
    now: datetime,
    within_s: float = _TIMEOUT_S,
) -> SenderAuthentication:
    """Whether the domain in From stands behind a mail, found out in `within_s` seconds at most; never fails.

    `mail` is all of its octets, in the spool or not. `mail_servers` are addresses and networks of our own servers,
    which may hand in others' mail, `authserv_ids` the names they sign their findings with. A mail must name one author
    in one From field, be of these days, and name us in To or Cc: that it was written does not show to whom it was, and
    whoever has some mail of hers could hand it in to us. It proves nothing to recipients that it does not name, see
    `Proof.to`. Nothing is asked of the DNS where our own server has said it (RFC 8601), or where neither a signature
    nor a sender could count. Unproven is what no record shows, and what the DNS did not tell in time: `why` says which.
    """
    section = mail.header
    author = find_sole_author(section)
    if author is None or not section.is_complete:
        return SenderAuthentication(
            method=None, why="From is not one plain address" if section.is_complete else "the header is too long"
        )
    if why := _find_header_problem(section, now):
        return SenderAuthentication(method=None, domain=author.domain, why=why)
    named = await asyncio.to_thread(parse_header_recipients, section)
    if not any(recipient.lower() in named for recipient in message.recipients):
        return SenderAuthentication(
            method=None, domain=author.domain, why="neither To nor Cc names an address that it came to"
        )
    way, claims = trace_received(section, message, mail_servers), parse_dkim_signatures(section, now)
    by, why = _check_authentication_results(section, way, authserv_ids, author.domain, claims)
    if by is None:
        by, why = await _run_checks(_make_checks(dns, mail.raw, section, message, way, author.domain, now), within_s)
    digests = tuple(claim.digest for claim in claims)
    return SenderAuthentication(
        method=by, domain=author.domain, why=why, header_recipients=named, signature_digests=digests
    )


def _find_header_problem(section: HeaderSection, now: datetime) -> str | None:
    """What keeps a mail from proving anything, whoever vouches for it."""
    for name in _SINGLE_FIELDS:
        if len(section.values(name)) > 1:
            return f"there are several {name.capitalize()} fields"
    for value in section.values("date"):
        at = parse_date(value)
        return find_date_problem(at, now) if at else "its Date is none"
    return None


def _check_authentication_results(
    section: HeaderSection,
    path: ReceivedPath,
    authserv_ids: Sequence[str],
    author: str,
    claims: Sequence[DkimSignatureHeader],
) -> tuple[AuthenticationMethod | None, str]:
    """What our own mail server says; of a signature only if that is of these days, and covers what we go by.

    It checked whether the signature is valid, not for how long a mail is good, nor what else was put on top of it.
    Where it has taken the signatures away its word alone is left.
    """
    said = find_passed_check(section, path.own_hops, authserv_ids, author)
    if said is None:
        return None, ""
    signed = bool(section.values("dkim-signature")) and not said.spf_passed
    if signed and not any(claim.stale_reason is None and may_be_aligned(claim.domain, author) for claim in claims):
        return None, ""
    return AuthenticationMethod.OWN_SERVER, f"our mail server says {said.result}"


def _make_checks(
    dns: Dns | None,
    mail: bytes,
    section: HeaderSection,
    message: IncomingMessage,
    path: ReceivedPath,
    author: str,
    now: datetime,
) -> Mapping[AuthenticationMethod, _Check]:
    if dns is None:
        return {}
    return {
        AuthenticationMethod.DKIM: lambda: verify_dkim(dns, mail, section, author, now),
        AuthenticationMethod.SPF: lambda: verify_spf(dns, message.sender, path.source, author),
    }


async def _run_checks(
    checks: Mapping[AuthenticationMethod, _Check], within_s: float
) -> tuple[AuthenticationMethod | None, str]:
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
