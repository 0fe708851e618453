"""DMARC (RFC 7489): the record that says what receivers do with letters that only pretend to be ours."""

from __future__ import annotations

from dataclasses import dataclass

from mailer.mail.dkim.tag_list import parse_tag_list
from mailer.network.dns import Dns


@dataclass(frozen=True, kw_only=True, slots=True)
class DmarcRecords:
    """The records found for a domain: its own, or those of the nearest domain above it that has any."""

    domain: str
    texts: tuple[str, ...]
    """More than one is as good as none to receivers (section 6.6.3)."""


async def find_dmarc(dns: Dns, domain: str) -> DmarcRecords:
    """The DMARC records that hold for `domain`; DnsUnavailable where a question is not answered.

    Domains above it are asked in turn, down to two labels, since which of them is the organisation's is not told.
    """
    asked = domain
    while True:
        texts = tuple(text for text in await dns.texts(f"_dmarc.{asked}") if is_dmarc_record(text))
        above = asked.partition(".")[2]
        if texts or "." not in above:
            return DmarcRecords(domain=asked, texts=texts)
        asked = above


def is_dmarc_record(text: str) -> bool:
    """Whether a TXT record is one of DMARC: it begins with the tag `v=DMARC1`."""
    tags = parse_tag_list(text)
    return next(iter(tags), "") == "v" and tags["v"] == "DMARC1"
