"""Whether two domains are of one organisation, as the DNS tells it (DMARC, RFC 9989; no list of public suffixes)."""

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
    """What was found on the way up from a domain."""

    organizational_domain: str
    """The organisational domain (RFC 9989, "DNS Tree Walk"); where no record was found the domain itself."""
    policy: dict[str, str] | None
    """The tags of the record that holds for the domain; None where none does."""


async def is_aligned(dns: Dns, domain: str, author: str, method: AuthenticationMethod) -> bool:
    """Whether what `domain` has signed or sent counts for `author`, the domain of From (RFC 9989).

    The same domain always does, and nothing is asked. Others count if they are of one organisation, unless the
    author's record demands the very same (adkim=s for DKIM, aspf=s for SPF). An author without any record is held to
    `speaks_for`: a domain above it counts, one below it or beside it does not. Domains are in lower case, A-labels.

    DnsUnavailable where a question is not answered.
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
    """The DNS tree walk of RFC 9989: from the domain upwards, at most eight questions.

    DnsUnavailable where one of them is not answered.
    """
    found: list[tuple[str, dict[str, str]]] = []
    for asked in _tree_walk_domains(domain):
        records = [text for text in await dns.texts(f"_dmarc.{asked}") if is_dmarc_record(text)]
        # Several are as good as none.
        if len(records) == 1:
            found.append((asked, parse_tag_list(records[0])))
            if found[-1][1].get("psd", "u").lower() in {"y", "n"}:
                break
    organisation = _find_organizational_domain(domain, found)
    by_name = dict(found)
    # That of the public suffix comes last, and holds where the organisation has none of its own.
    policy = by_name.get(domain) or by_name.get(organisation) or (found[-1][1] if found else None)
    return DmarcTreeWalk(organizational_domain=organisation, policy=policy)


def _tree_walk_domains(domain: str) -> list[str]:
    labels = domain.split(".")
    start = 1 if len(labels) < _MAX_LOOKUPS else len(labels) - _MAX_LOOKUPS + 1
    return [domain, *(".".join(labels[at:]) for at in range(start, len(labels)))]


def _find_organizational_domain(domain: str, found: list[tuple[str, dict[str, str]]]) -> str:
    if not found:
        return domain
    top, tags = found[-1]
    # A top-level domain is a public suffix, though some published records before they could say so.
    suffix = tags.get("psd", "u").lower() == "y" or ("." not in top and tags.get("psd", "u").lower() != "n")
    if suffix and top != domain:
        return ".".join(domain.split(".")[-top.count(".") - 2 :])
    return top
