"""Authenticating the sender of a mail: by our own mail server's word, by DKIM or by SPF, aligned with From (DMARC)."""

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
    add_own_addresses: Callable[[frozenset[str]], frozenset[str]] = frozenset,
    within_s: float = _TIMEOUT_S,
) -> SenderAuthentication:
    """Whether the domain in From authenticates a mail, found out in at most `within_s` seconds; never fails.

    `mail_servers` are the IP addresses and networks of our own servers, which hand in others' mail; `authserv_ids` are
    the names in their Authentication-Results. The mail must have one address in From, be recent, and name a recipient
    of ours in To or Cc: anybody who received a mail could replay it to us, and only these fields show whom it was for;
    `add_own_addresses` adds those that old ones stand for. Our own mail server is believed (RFC 8601); else DKIM and
    then SPF are verified, for domains that can be aligned. A mail is unauthenticated, too, if the DNS does not answer
    in time; `why` says so.
    """
    section = mail.header
    author = find_sole_author(section)
    if not section.is_complete:
        return SenderAuthentication(method=None, why="the header is too long")
    if author is None:
        return SenderAuthentication(method=None, why="From is not one plain address")
    if why := _find_header_problem(section, now):
        return SenderAuthentication(method=None, domain=author.domain, why=why)
    recipients = add_own_addresses(await asyncio.to_thread(parse_header_recipients, section))
    if not any(recipient.lower() in recipients for recipient in message.recipients):
        why = "neither To nor Cc names an address that it came to"
        return SenderAuthentication(method=None, domain=author.domain, why=why)
    path, signatures = trace_received(section, message, mail_servers), parse_dkim_signatures(section, now)
    method, why = _check_authentication_results(section, path, authserv_ids, author.domain, signatures)
    if method is None:
        method, why = await _run_checks(_make_checks(dns, mail, message, path, author.domain, now), within_s)
    digests = tuple(signature.digest for signature in signatures)
    return SenderAuthentication(
        method=method, domain=author.domain, why=why, header_recipients=recipients, signature_digests=digests
    )


def _find_header_problem(section: HeaderSection, now: datetime) -> str | None:
    """Why no mail with this header can be authenticated; None if nothing is wrong with it."""
    for name in _SINGLE_FIELDS:
        if len(section.values(name)) > 1:
            return f"there are several {name.capitalize()} fields"
    for value in section.values("date"):
        at = parse_date(value)
        return find_date_problem(at, now) if at else "its Date is malformed"
    return None


def _check_authentication_results(
    section: HeaderSection,
    path: ReceivedPath,
    authserv_ids: Sequence[str],
    author: str,
    signatures: Sequence[DkimSignatureHeader],
) -> tuple[AuthenticationMethod | None, str]:
    """OWN_SERVER if our own mail server says that a check passed.

    A DKIM signature has to be recent and cover the fields that we use besides: the server verified that it is valid,
    but not how old it is or what was added to the mail. If the server removed the signatures, its word is enough.
    """
    passed = find_passed_check(section, path.own_hops, authserv_ids, author)
    if passed is None:
        return None, ""
    needs_signature = bool(section.values("dkim-signature")) and not passed.spf_passed
    usable = [one for one in signatures if one.stale_reason is None and may_be_aligned(one.domain, author)]
    if needs_signature and not usable:
        return None, ""
    return AuthenticationMethod.OWN_SERVER, f"our mail server says {passed.result}"


def _make_checks(
    dns: Dns | None,
    mail: ParsedMessage,
    message: IncomingMessage,
    path: ReceivedPath,
    author: str,
    now: datetime,
) -> Mapping[AuthenticationMethod, _Check]:
    if dns is None:
        return {}
    return {
        AuthenticationMethod.DKIM: lambda: verify_dkim(dns, mail, author, now),
        AuthenticationMethod.SPF: lambda: verify_spf(dns, message.sender, path.source, author),
    }


async def _run_checks(
    checks: Mapping[AuthenticationMethod, _Check], within_s: float
) -> tuple[AuthenticationMethod | None, str]:
    reasons = []
    for method, check in checks.items():
        try:
            # Each gets its share of the time, so that a DNS server that does not answer one does not prevent the other.
            async with asyncio.timeout(within_s / len(checks)):
                domain, why = await check()
        except TimeoutError:
            domain, why = None, f"no answer within {within_s / len(checks):g} s"
        reasons.append(f"{method.value.upper()}: {why}")
        if domain is not None:
            return method, reasons[-1]
    return None, "; ".join(reasons) or "there is no DNS to ask"
