"""Verifying SPF (RFC 7208): whether a mail came from a host that the domain of its envelope sender names."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import spf  # type: ignore[import-untyped]

from mailer.domain.sender_authentication import AuthenticationMethod, may_be_aligned
from mailer.errors import DnsUnavailable
from mailer.mail.message.received import SendingHost
from mailer.network.dmarc_alignment import is_aligned
from mailer.network.dns import Dns

_MAX_QUESTIONS = 60
"""Each of ten mechanisms may name ten hosts, but no record in use needs nearly as many queries."""
_MAX_RECORD, _MAX_TERM = 4096, 400
_SENDER = re.compile(r"(?P<local>[!-?A-~]{0,64})@(?P<domain>[a-z0-9_.-]{1,253})")
_HELO = re.compile(r"[A-Za-z0-9_.-]{1,253}")

ANY_HOST = "pass for any host"

DnsAnswer = list[Any]
DnsQuestion = tuple[str, str]


async def verify_spf(dns: Dns, sender: str, source: SendingHost, author: str) -> tuple[str | None, str]:
    """The domain of the envelope sender (of HELO for the null sender) if SPF authenticates it; and a reason in words.

    Its record has to name the host (`pass`, but not for any host), and it has to be aligned with `author`, the domain
    in From. No DNS query is made if it cannot be aligned.
    """
    helo = source.helo if source.helo and _HELO.fullmatch(source.helo) else ""
    found = _SENDER.fullmatch(_lowercase_domain(sender) if sender else f"postmaster@{helo.lower()}")
    domain = found["domain"].rstrip(".") if found else ""
    if found is None or source.address is None or not may_be_aligned(domain, author):
        return None, "no envelope sender that counts"
    try:
        if not await is_aligned(dns, domain, author, AuthenticationMethod.SPF):
            return None, f"{domain} does not speak for it"
        result = await evaluate_spf(dns, source.address, f"{found['local']}@{domain}", helo)
    except DnsUnavailable as error:
        return None, f"{domain}: {error}"
    return domain if result == "pass" else None, f"{result} for {domain}"


async def evaluate_spf(dns: Dns, address: str, sender: str, helo: str) -> str:
    """The result (RFC 7208 section 2.6) for a mail of `sender` from the IP address; ANY_HOST for `+all`.

    `permerror` is also the result for a record that takes too many queries. Raises DnsUnavailable.
    """
    answers: dict[DnsQuestion, DnsAnswer] = {}
    for _ in range(_MAX_QUESTIONS):
        query = _Query(answers, address, sender, helo)
        try:
            # In a thread: long records take a while.
            result, _code, _explanation = await asyncio.to_thread(query.check)
        except _AnswerNeeded as needed:
            answers[needed.question] = await _look_up(dns, query, *needed.question)
            continue
        # A record that names all hosts says nothing about this one.
        is_any_host = result == "pass" and str(query.mechanism).lower() in {"all", "+all"}
        return ANY_HOST if is_any_host else str(result)
    return "permerror"


async def _look_up(dns: Dns, query: _Query, name: str, kind: str) -> DnsAnswer:
    """The answer to a DNS query, in the form that pyspf expects."""
    if kind == "TXT":
        return [[text.encode()] for text in await dns.texts(name)]
    if kind == "MX":
        return [(place, host) for place, host in enumerate(await dns.mail_servers(name))]
    if kind == "PTR":
        return list(await dns.names(query.ipaddr))
    return [str(address) for address in await dns.addresses(name, 6 if kind == "AAAA" else 4)]


class _AnswerNeeded(Exception):
    """pyspf needs the answer to this DNS query."""

    def __init__(self, question: DnsQuestion) -> None:
        self.question = question
        super().__init__(*question)


class _Query(spf.query):  # type: ignore[misc]
    """A pyspf query that raises _AnswerNeeded for each DNS answer it has not been given.

    It is run again with one more answer each time, so that no thread waits for the DNS and `Dns` makes all queries.
    """

    def __init__(self, answers: dict[DnsQuestion, DnsAnswer], address: str, sender: str, helo: str) -> None:
        super().__init__(i=address, s=sender, h=helo, strict=True)
        self._answers = answers

    def dns(self, name: Any, qtype: str, cnames: Any = None, ignore_void: bool = False) -> DnsAnswer:
        """The answer, as the base class returns it. At most two answers may be empty (section 4.6.4)."""
        name = str(name or "").rstrip(".").lower()
        if not all(0 < len(label) < 64 for label in name.split(".")):
            return []
        if (name, qtype) not in self._answers:
            raise _AnswerNeeded((name, qtype))
        answer = self._answers[name, qtype]
        if not answer and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError("too many names that do not exist")
        return list(answer)

    def dns_spf(self, domain: str) -> str | None:
        """The record of a domain; one that is too long to be meant seriously is an error."""
        record: str | None = super().dns_spf(domain)
        if record and (len(record) > _MAX_RECORD or any(len(term) > _MAX_TERM for term in record.split(" "))):
            raise spf.PermError("the record is too long")
        return record

    def get_explanation(self, spec: str) -> None:
        """None: the explanation is not used."""


def _lowercase_domain(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"
