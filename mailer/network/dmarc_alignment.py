"""Whether two domains are of one organisation, as the DNS tells it (DMARC, RFC 9989; no list of public suffixes)."""

from __future__ import annotations

from dataclasses import dataclass

from mailer.domain.domain_alignment import may_be_one_organisation, speaks_for
from mailer.domain.sender_authentication import ProvenBy
from mailer.mail.dkim.tag_list import read_tags
from mailer.network.dmarc_record import is_dmarc
from mailer.network.dns import Dns

_MOST_LOOKUPS = 8
_STRICT = {ProvenBy.DKIM: "adkim", ProvenBy.SPF: "aspf"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Walk:
    """What was found on the way up from a domain."""

    organisation: str
    """The organisational domain (RFC 9989, "DNS Tree Walk"); where no record was found the domain itself."""
    policy: dict[str, str] | None
    """The tags of the record that holds for the domain; None where none does."""


async def aligned(dns: Dns, domain: str, author: str, by: ProvenBy) -> bool:
    """Whether what `domain` has signed or sent counts for `author`, the domain of From (RFC 9989).

    The same domain always does, and nothing is asked. Others count if they are of one organisation, unless the
    author's record demands the very same (adkim=s for DKIM, aspf=s for SPF). An author without any record is held to
    `speaks_for`: a domain above it counts, one below it or beside it does not. Domains are in lower case, A-labels.

    DnsUnavailable where a question is not answered.
    """
    if domain == author:
        return True
    if not may_be_one_organisation(domain, author):
        return False
    own = await walk_up(dns, author)
    if own.policy is None:
        return speaks_for(domain, author)
    if own.policy.get(_STRICT[by], "r").lower() == "s":
        return False
    return (await walk_up(dns, domain)).organisation == own.organisation


async def walk_up(dns: Dns, domain: str) -> Walk:
    """The DNS tree walk of RFC 9989: from the domain upwards, at most eight questions.

    DnsUnavailable where one of them is not answered.
    """
    found: list[tuple[str, dict[str, str]]] = []
    for asked in _way_up(domain):
        records = [text for text in await dns.texts(f"_dmarc.{asked}") if is_dmarc(text)]
        # Several are as good as none.
        if len(records) == 1:
            found.append((asked, read_tags(records[0])))
            if found[-1][1].get("psd", "u").lower() in {"y", "n"}:
                break
    organisation = _organisation(domain, found)
    by_name = dict(found)
    # That of the public suffix comes last, and holds where the organisation has none of its own.
    policy = by_name.get(domain) or by_name.get(organisation) or (found[-1][1] if found else None)
    return Walk(organisation=organisation, policy=policy)


def _way_up(domain: str) -> list[str]:
    labels = domain.split(".")
    start = 1 if len(labels) < _MOST_LOOKUPS else len(labels) - _MOST_LOOKUPS + 1
    return [domain, *(".".join(labels[at:]) for at in range(start, len(labels)))]


def _organisation(domain: str, found: list[tuple[str, dict[str, str]]]) -> str:
    if not found:
        return domain
    top, tags = found[-1]
    # A top-level domain is a public suffix, though some published records before they could say so.
    suffix = tags.get("psd", "u").lower() == "y" or ("." not in top and tags.get("psd", "u").lower() != "n")
    if suffix and top != domain:
        return ".".join(domain.split(".")[-top.count(".") - 2 :])
    return top
