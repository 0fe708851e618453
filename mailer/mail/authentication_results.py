"""What a mail server of our own found out about a mail, as it wrote it down (Authentication-Results, RFC 8601)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from authres import all_features  # type: ignore[import-untyped]
from authres.core import AuthenticationResult, AuthenticationResultsHeader, AuthResError  # type: ignore[import-untyped]

from mailer.domain.alignment import speaks_for
from mailer.mail.header_section import HeaderSection

_MOST_OCTETS, _MOST_COMMENTS, _MOST_FIELDS = 3000, 100, 5
_NAME = re.compile(r"\s*(?:\([^()]*\)\s*)?([^\s;()]+)")
_IDENTITIES = {"dkim": (("header", "d"), ("header", "i")), "spf": (("smtp", "mailfrom"),)}


def passed_at_host(section: HeaderSection, ours: int, authserv_ids: Sequence[str], author: str) -> str | None:
    """What passed for the domain `author` of From, `dmarc=pass` and kin; None where nothing that may be believed did.

    Believed are the fields under one of our `authserv_ids` (case does not matter) that stand above the first Received
    field not of our own servers, of which there are `ours` (section 5). A server must take away what comes in under
    its name: as long as it does, they are its own. Where any of them says of this domain that DMARC failed, nothing
    is believed.

    Without a word about DMARC, DKIM or SPF must have passed for this very domain or one above it.
    """
    names = {name.lower() for name in authserv_ids}
    if not names or not ours:
        return None
    results = [result for value in _believable(section, ours) for result in _results(value, names)]
    verdicts = [_word(result.result) for result in results if _is_dmarc_of(result, author)]
    if any(verdict not in {"pass", "none"} for verdict in verdicts):
        return None
    if "pass" in verdicts:
        return "dmarc=pass"
    return next((f"{_word(result.method)}=pass" for result in results if _aligned(result, author)), None)


def _believable(section: HeaderSection, ours: int) -> list[str]:
    values, received = [], 0
    for name, value in section.fields:
        received += name == "received"
        if received > ours:
            break
        if name == "authentication-results":
            values.append(value)
    return values[:_MOST_FIELDS]


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
