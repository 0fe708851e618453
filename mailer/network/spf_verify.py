"""SPF (RFC 7208): whether a mail came from a host that its envelope sender's domain names, as it came."""

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
"""Of ten mechanisms each may name ten hosts; no sound record comes near it."""
_MAX_RECORD, _MAX_TERM = 4096, 400
_SENDER = re.compile(r"(?P<local>[!-?A-~]{0,64})@(?P<domain>[a-z0-9_.-]{1,253})")
_HELO = re.compile(r"[A-Za-z0-9_.-]{1,253}")

DnsAnswer = list[Any]
DnsQuestion = tuple[str, str]


async def verify_spf(dns: Dns, sender: str, source: SendingHost, author: str) -> tuple[str | None, str]:
    """The domain of the envelope sender (of a null one: of HELO) if it counts for `author`; and what came of it.

    It counts where it names the host as its own (`pass`, but not because it names all hosts there are) and may speak
    for `author`, the domain of From. Nothing is asked where it could not.
    """
    helo = source.helo if source.helo and _HELO.fullmatch(source.helo) else ""
    found = _SENDER.fullmatch(_lowercase_domain(sender) if sender else f"postmaster@{helo.lower()}")
    domain = found["domain"].rstrip(".") if found else ""
    if found is None or source.address is None or not may_be_aligned(domain, author):
        return None, "no envelope sender that counts"
    try:
        if not await is_aligned(dns, domain, author, AuthenticationMethod.SPF):
            return None, f"{domain} does not speak for it"
        result = await _evaluate(dns, source.address, f"{found['local']}@{domain}", helo)
    except DnsUnavailable as trouble:
        return None, f"{domain}: {trouble}"
    return domain if result == "pass" else None, f"{result} for {domain}"


async def _evaluate(dns: Dns, address: str, sender: str, helo: str) -> str:
    """What the record says of the address; `permerror` for one no receiver would use."""
    answers: dict[DnsQuestion, DnsAnswer] = {}
    for _ in range(_MAX_QUESTIONS):
        query = _Query(answers, address, sender, helo)
        try:
            # Long records take a while; others get their turn.
            result, _code, _explanation = await asyncio.to_thread(query.check)
        except _AnswerNeeded as asked:
            answers[asked.question] = await _look_up(dns, query, *asked.question)
            continue
        # A record that names all hosts says nothing about this one.
        everybody = result == "pass" and str(query.mechanism).lower() in {"all", "+all"}
        return "pass for any host" if everybody else str(result)
    return "permerror"


async def _look_up(dns: Dns, query: _Query, name: str, kind: str) -> DnsAnswer:
    """In the shapes that pyspf has its answers in."""
    if kind == "TXT":
        return [[text.encode()] for text in await dns.texts(name)]
    if kind == "MX":
        return [(place, host) for place, host in enumerate(await dns.mail_servers(name))]
    if kind == "PTR":
        return list(await dns.names(query.ipaddr))
    return [str(address) for address in await dns.addresses(name, 6 if kind == "AAAA" else 4)]


class _AnswerNeeded(Exception):
    """The check cannot go on before this question is answered."""

    def __init__(self, question: DnsQuestion) -> None:
        self.question = question
        super().__init__(*question)


class _Query(spf.query):  # type: ignore[misc]
    """A check that knows some answers, and is begun anew with one more each time it asks for another.

    So no thread ever waits for an answer, and its questions go the way of all others.
    """

    def __init__(self, answers: dict[DnsQuestion, DnsAnswer], address: str, sender: str, helo: str) -> None:
        super().__init__(i=address, s=sender, h=helo, strict=True)
        self._answers = answers

    def dns(self, name: Any, qtype: str, cnames: Any = None, ignore_void: bool = False) -> DnsAnswer:
        """The answer, as the base class has it: at most two questions may be answered with nothing."""
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
        """The record; one that only keeps receivers busy is refused."""
        record: str | None = super().dns_spf(domain)
        if record and (len(record) > _MAX_RECORD or any(len(term) > _MAX_TERM for term in record.split(" "))):
            raise spf.PermError("the record is too long")
        return record

    def get_explanation(self, spec: str) -> None:
        """Nobody is told why, so nobody is asked."""


def _lowercase_domain(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"
