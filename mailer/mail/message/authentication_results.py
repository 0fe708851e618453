"""What a mail server of our own found out about a mail, as it wrote it down (Authentication-Results, RFC 8601)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from authres import all_features  # type: ignore[import-untyped]
from authres.core import AuthenticationResult, AuthenticationResultsHeader, AuthResError  # type: ignore[import-untyped]

from mailer.domain.domain_alignment import may_be_one_organisation, speaks_for
from mailer.mail.message.header_section import HeaderSection

_MOST_OCTETS, _MOST_COMMENTS, _MOST_FIELDS = 3000, 100, 5
_NAME = re.compile(r"\s*(?:\([^()]*\)\s*)?([^\s;()]+)")
_IDENTITIES = {"dkim": (("header", "d"), ("header", "i")), "spf": (("smtp", "mailfrom"),)}


@dataclass(frozen=True, slots=True)
class Passed:
    """What passed for the author's domain."""

    what: str
    """`dmarc=pass`, `dkim=pass` or `spf=pass`."""
    by_envelope: bool
    """Whether SPF did: the mail was handed over by that domain itself, and is no copy that somebody else hands in."""


def passed_at_host(section: HeaderSection, ours: int, authserv_ids: Sequence[str], author: str) -> Passed | None:
    """What passed for the domain `author` of From; None where nothing that may be believed did.

    Believed are the fields under one of our `authserv_ids` (case does not matter) that stand above the Received field
    of the server that took the mail in, the last of `ours` (section 5): what stands below it came with the mail. Where
    any of them says of this domain that DMARC failed, nothing is believed.

    Without a word about DMARC, DKIM or SPF must have passed for this very domain or one above it.
    """
    names = {name.lower() for name in authserv_ids}
    if not names or not ours:
        return None
    # A filter may write below that field, as the sender may: it is not believed, but where it says that DMARC failed.
    if _verdicts(_findings(section, ours + 1, names), author) - {"pass", "none"}:
        return None
    results = _findings(section, ours, names)
    if "pass" in _verdicts(results, author):
        return Passed("dmarc=pass", by_envelope=any(_vouched(result, author) for result in results))
    passed = [_word(result.method) for result in results if _aligned(result, author)]
    return Passed(f"{passed[0]}=pass", by_envelope="spf" in passed) if passed else None


def _vouched(result: AuthenticationResult, author: str) -> bool:
    """Whether SPF passed for a domain that DMARC may have gone by."""
    domains = _domains(result, _IDENTITIES["spf"]) if _word(result.method) == "spf" else []
    return _word(result.result) == "pass" and any(may_be_one_organisation(domain, author) for domain in domains)


def _verdicts(results: Iterable[AuthenticationResult], author: str) -> set[str]:
    """What DMARC came to for the author's domain."""
    return {_word(result.result) for result in results if _is_dmarc_of(result, author)}


def _findings(section: HeaderSection, place: int, names: set[str]) -> list[AuthenticationResult]:
    """What the fields of these servers say that stand above the Received field of this place, the topmost being 1."""
    values, received = [], 0
    for name, value in section.fields:
        received += name == "received"
        if received >= place:
            break
        if name == "authentication-results":
            values.append(value)
    return [result for value in values[:_MOST_FIELDS] for result in _results(value, names)]


def _results(value: str, names: set[str]) -> Iterable[AuthenticationResult]:
    # The parser recurses into comments within comments, and takes its time: it gets what can be ours only.
    name = _NAME.match(value)
    if name is None or _word(name[1]) not in names:
        return ()
    if len(value) > _MOST_OCTETS or value.count("(") > _MOST_COMMENTS:
        return ()
    try:
        field = AuthenticationResultsHeader.parse_value(all_features(), value)
    except AuthResError:
        return ()
    return field.results if _word(field.authserv_id) in names else ()


def _is_dmarc_of(result: AuthenticationResult, author: str) -> bool:
    return _word(result.method) == "dmarc" and author in _domains(result, [("header", "from")])


def _aligned(result: AuthenticationResult, author: str) -> bool:
    if _word(result.result) != "pass":
        return False
    identities = _IDENTITIES.get(_word(result.method), ())
    return any(speaks_for(domain, author) for domain in _domains(result, identities))


def _domains(result: AuthenticationResult, kinds: Iterable[tuple[str, str]]) -> list[str]:
    wanted = set(kinds)
    found = [known.value for known in result.properties if (known.type, known.name) in wanted]
    return [_word(value).rpartition("@")[2] for value in found if value]


def _word(text: str | None) -> str:
    return (text or "").lower()
