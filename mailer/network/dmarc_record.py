"""Finding the DMARC records of a domain (RFC 7489): what receivers do with mail that is not authenticated."""

from __future__ import annotations

from dataclasses import dataclass

from mailer.mail.dkim.tag_list import parse_tag_list
from mailer.network.dns import Dns


@dataclass(frozen=True, kw_only=True, slots=True)
class DmarcRecords:
    """The records of a domain, or of its nearest parent that has any."""

    domain: str
    texts: tuple[str, ...]
    """More than one count as none to receivers (section 6.6.3)."""


async def find_dmarc(dns: Dns, domain: str) -> DmarcRecords:
    """The DMARC records that apply to `domain`. Raises DnsUnavailable.

    All its parents down to two labels are looked up in turn, since the organizational domain is not known.
    """
    current = domain
    while True:
        texts = tuple(text for text in await dns.texts(f"_dmarc.{current}") if is_dmarc_record(text))
        parent = current.partition(".")[2]
        if texts or "." not in parent:
            return DmarcRecords(domain=current, texts=texts)
        current = parent


def is_dmarc_record(text: str) -> bool:
    """Whether a TXT record is a DMARC record: its first tag is `v=DMARC1`."""
    tags = parse_tag_list(text)
    return next(iter(tags), "") == "v" and tags["v"] == "DMARC1"
