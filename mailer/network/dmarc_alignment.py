"""DMARC alignment (RFC 9989): whether two domains belong to one organisation, by the records in the DNS."""

from __future__ import annotations

from dataclasses import dataclass

from mailer.domain.sender_authentication import AuthenticationMethod, is_same_or_parent_domain, may_be_aligned
from mailer.mail.dkim.tag_list import parse_tag_list
from mailer.network.dmarc_record import is_dmarc_record
from mailer.network.dns import Dns

_MAX_LOOKUPS = 8
_ALIGNMENT_TAGS = {AuthenticationMethod.DKIM: "adkim", AuthenticationMethod.SPF: "aspf"}


@dataclass(frozen=True, kw_only=True, slots=True)
class DmarcTreeWalk:
    """The outcome of the DNS tree walk for a domain."""

    organizational_domain: str
    """The organizational domain (RFC 9989, "DNS Tree Walk"); the domain itself if no record was found."""
    policy: dict[str, str] | None
    """The tags of the record that applies to the domain; None if there is none."""


async def is_aligned(dns: Dns, domain: str, author: str, method: AuthenticationMethod) -> bool:
    """Whether `domain`, which signed or sent a mail, is aligned with `author`, the domain in From (RFC 9989).

    A domain is aligned with itself, without a DNS query. Two domains of one organisation are aligned, unless the
    author's record demands the same domain (adkim=s for DKIM, aspf=s for SPF). If the author has no record, its parent
    domains are aligned, but no others (`is_same_or_parent_domain`). Domains are in lower case, in A-labels.

    Raises DnsUnavailable.
    """
    if domain == author:
        return True
    if not may_be_aligned(domain, author):
        return False
    own = await walk_dns_tree(dns, author)
    if own.policy is None:
        return is_same_or_parent_domain(domain, author)
    if own.policy.get(_ALIGNMENT_TAGS[method], "r").lower() == "s":
        return False
    return (await walk_dns_tree(dns, domain)).organizational_domain == own.organizational_domain


async def walk_dns_tree(dns: Dns, domain: str) -> DmarcTreeWalk:
    """The DNS tree walk of RFC 9989: from the domain upwards, at most eight queries. Raises DnsUnavailable."""
    found: list[tuple[str, dict[str, str]]] = []
    for name in _tree_walk_domains(domain):
        records = [text for text in await dns.texts(f"_dmarc.{name}") if is_dmarc_record(text)]
        # Several records count as none.
        if len(records) == 1:
            found.append((name, parse_tag_list(records[0])))
            if found[-1][1].get("psd", "u").lower() in {"y", "n"}:
                break
    organizational_domain = _find_organizational_domain(domain, found)
    by_name = dict(found)
    # The record of the public suffix is the last one found; it applies if the organisation has none.
    policy = by_name.get(domain) or by_name.get(organizational_domain) or (found[-1][1] if found else None)
    return DmarcTreeWalk(organizational_domain=organizational_domain, policy=policy)


def _tree_walk_domains(domain: str) -> list[str]:
    labels = domain.split(".")
    start = 1 if len(labels) < _MAX_LOOKUPS else len(labels) - _MAX_LOOKUPS + 1
    return [domain, *(".".join(labels[at:]) for at in range(start, len(labels)))]


def _find_organizational_domain(domain: str, found: list[tuple[str, dict[str, str]]]) -> str:
    if not found:
        return domain
    top, tags = found[-1]
    # A top-level domain is a public suffix even if its record, published before psd= existed, does not say so.
    is_suffix = tags.get("psd", "u").lower() == "y" or ("." not in top and tags.get("psd", "u").lower() != "n")
    if is_suffix and top != domain:
        return ".".join(domain.split(".")[-top.count(".") - 2 :])
    return top
