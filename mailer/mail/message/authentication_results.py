"""What our own mail servers wrote about a mail in its Authentication-Results fields (RFC 8601)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from authres import all_features  # type: ignore[import-untyped]
from authres.core import AuthenticationResult, AuthenticationResultsHeader, AuthResError  # type: ignore[import-untyped]

from mailer.domain.sender_authentication import is_same_or_parent_domain, may_be_aligned
from mailer.mail.message.header_section import HeaderSection

_MAX_OCTETS, _MAX_COMMENTS, _MAX_FIELDS = 3000, 100, 5
_AUTHSERV_ID = re.compile(r"\s*(?:\([^()]*\)\s*)?([^\s;()]+)")
_IDENTITIES = {"dkim": (("header", "d"), ("header", "i")), "spf": (("smtp", "mailfrom"),)}


@dataclass(frozen=True, slots=True)
class PassedCheck:
    """A check that the author's domain passed at our own mail server."""

    result: str
    """`dmarc=pass`, `dkim=pass` or `spf=pass`."""
    spf_passed: bool
    """Whether SPF passed too: the domain itself handed over the mail, so it is no replay by somebody else."""


def find_passed_check(
    section: HeaderSection, own_hops: int, authserv_ids: Sequence[str], author: str
) -> PassedCheck | None:
    """The check that the domain `author` in From passed at our own mail servers; None if there is none to believe.

    A field is believed if its authserv-id is one of our `authserv_ids` (in any case) and it is above the last of our
    own servers' `own_hops` Received fields: what is below that came with the mail (section 5). Nothing is believed if
    any of these fields says that DMARC failed for the domain.

    If no field names DMARC, then DKIM or SPF must have passed for the domain or a parent of it.
    """
    names = {name.lower() for name in authserv_ids}
    if not names or not own_hops:
        return None
    # Below that field both a filter of ours and the sender may have written: only a failure is believed there.
    if _dmarc_results(_parse_results(section, own_hops + 1, names), author) - {"pass", "none"}:
        return None
    results = _parse_results(section, own_hops, names)
    if "pass" in _dmarc_results(results, author):
        return PassedCheck("dmarc=pass", spf_passed=any(_passed_spf(result, author) for result in results))
    passed = [_lower(result.method) for result in results if _is_aligned_pass(result, author)]
    return PassedCheck(f"{passed[0]}=pass", spf_passed="spf" in passed) if passed else None


def _passed_spf(result: AuthenticationResult, author: str) -> bool:
    """Whether SPF passed for a domain on which the DMARC result may be based."""
    domains = _find_domains(result, _IDENTITIES["spf"]) if _lower(result.method) == "spf" else []
    return _lower(result.result) == "pass" and any(may_be_aligned(domain, author) for domain in domains)


def _dmarc_results(results: Iterable[AuthenticationResult], author: str) -> set[str]:
    """The DMARC results for the author's domain."""
    return {_lower(result.result) for result in results if _is_dmarc_of(result, author)}


def _parse_results(section: HeaderSection, place: int, names: set[str]) -> list[AuthenticationResult]:
    """The results in the fields of the servers `names` above the Received field number `place`, counted from 1."""
    values, received = [], 0
    for name, value in section.fields:
        received += name == "received"
        if received >= place:
            break
        if name == "authentication-results":
            values.append(value)
    return [result for value in values[:_MAX_FIELDS] for result in _parse_field(value, names)]


def _parse_field(value: str, names: set[str]) -> Iterable[AuthenticationResult]:
    # The parser is slow and recurses into nested comments, so it only reads fields that can be ours.
    name = _AUTHSERV_ID.match(value)
    if name is None or _lower(name[1]) not in names:
        return ()
    if len(value) > _MAX_OCTETS or value.count("(") > _MAX_COMMENTS:
        return ()
    try:
        field = AuthenticationResultsHeader.parse_value(all_features(), value)
    except AuthResError:
        return ()
    return field.results if _lower(field.authserv_id) in names else ()


def _is_dmarc_of(result: AuthenticationResult, author: str) -> bool:
    return _lower(result.method) == "dmarc" and author in _find_domains(result, [("header", "from")])


def _is_aligned_pass(result: AuthenticationResult, author: str) -> bool:
    if _lower(result.result) != "pass":
        return False
    identities = _IDENTITIES.get(_lower(result.method), ())
    return any(is_same_or_parent_domain(domain, author) for domain in _find_domains(result, identities))


def _find_domains(result: AuthenticationResult, kinds: Iterable[tuple[str, str]]) -> list[str]:
    names = set(kinds)
    found = [known.value for known in result.properties if (known.type, known.name) in names]
    return [_lower(value).rpartition("@")[2] for value in found if value]


def _lower(text: str | None) -> str:
    return (text or "").lower()
