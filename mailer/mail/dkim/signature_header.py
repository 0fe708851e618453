"""The DKIM-Signature fields of an incoming mail that are worth verifying (RFC 6376 section 3.5)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mailer.mail.dkim.tag_list import parse_tag_list
from mailer.mail.message.freshness import find_date_problem, parse_date
from mailer.mail.message.header_section import HeaderSection

_MOST_SIGNATURES, _LONGEST_FIELD, _MOST_NAMES = 5, 6000, 500
_SINGLE = "from sender reply-to to cc subject date message-id in-reply-to references"
_SINGLE_IN_MIME = "mime-version content-type content-transfer-encoding"
_ONLY_ONCE = frozenset(f"{_SINGLE} {_SINGLE_IN_MIME}".split())
_DOMAIN = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_NAME = 253
_SECONDS, _SPACE = re.compile(r"[0-9]{1,11}"), re.compile(r"\s+")


@dataclass(frozen=True, kw_only=True, slots=True)
class DkimSignatureHeader:
    """The contents of a DKIM-Signature field, not verified."""

    index: int
    """The index of the field among the mail's DKIM-Signature fields, from the top."""
    domain: str
    """d=, the signing domain, in lower case."""
    selector: str
    identity: str
    """The domain of i=, else d=."""
    relaxed_body: bool
    """Whether the body has relaxed canonicalization, else simple."""
    stale_reason: str | None
    """Why the signature says nothing about a recent mail (no signed time, or an old one); None if it is fresh."""
    digest: str
    """SHA-256 in hex of the signed body hash and fields; it does not change with other parts of the mail."""

    @property
    def key_name(self) -> str:
        """The DNS name of the public key (section 3.6.2.1)."""
        return f"{self.selector}._domainkey.{self.domain}"


def parse_dkim_signatures(section: HeaderSection, now: datetime) -> list[DkimSignatureHeader]:
    """The signatures that can authenticate the sender, among the first five: RSA with SHA-256 (RFC 8301), signing From,
    Subject, To, Cc and the whole body (no l=).

    Empty if a field occurs twice that may occur only once (RFC 5322 section 3.6): of two, the lower one is signed while
    mail programs show the upper one.
    """
    names = [name for name, _ in section.fields if name in _ONLY_ONCE]
    if len(set(names)) < len(names):
        return []
    signatures = [
        _parse_signature(index, value, {"from", "to", "cc", "subject"} & set(names), section, now)
        for index, value in enumerate(section.values("dkim-signature")[:_MOST_SIGNATURES])
    ]
    return [claim for claim in signatures if claim is not None]


def _parse_signature(
    index: int, value: str, to_be_signed: set[str], section: HeaderSection, now: datetime
) -> DkimSignatureHeader | None:
    if len(value) > _LONGEST_FIELD:
        return None
    tags = parse_tag_list(value)
    names = [name.strip().lower() for name in tags.get("h", "").split(":")]
    domain, selector = tags.get("d", "").lower(), tags.get("s", "").lower()
    if tags.get("a") != "rsa-sha256" or not to_be_signed <= set(names) or len(names) > _MOST_NAMES or "l" in tags:
        return None
    if not _DOMAIN.fullmatch(domain) or not _DOMAIN.fullmatch(selector) or len(domain + selector) > _LONGEST_NAME - 12:
        return None
    return DkimSignatureHeader(
        index=index,
        domain=domain,
        selector=selector,
        identity=tags.get("i", domain).rpartition("@")[2].lower(),
        relaxed_body=tags.get("c", "").partition("/")[2].strip() == "relaxed",
        stale_reason=_stale_reason(tags, section.values("date") if "date" in names else [], now),
        digest=_digest(tags, names, section),
    )


def _stale_reason(tags: Mapping[str, str], signed_dates: Sequence[str], now: datetime) -> str | None:
    """Why t=, x= (sections 3.5 and 6.1.1) or a signed Date field are not recent; None if all that are given are."""
    signed_at, expires_at = _parse_time(tags, "t"), _parse_time(tags, "x")
    if ("t" in tags and signed_at is None) or ("x" in tags and (expires_at is None or expires_at < now)):
        return "its time is over, or none"
    times = [signed_at, *map(parse_date, signed_dates)]
    reasons = [why for at in times if at and (why := find_date_problem(at, now))]
    if reasons:
        return reasons[0]
    return None if any(times) else "no signed field says when it was written"


def _parse_time(tags: Mapping[str, str], name: str) -> datetime | None:
    """The tag's time, in seconds since 1970; None if it is missing or no number."""
    return datetime.fromtimestamp(int(tags[name]), UTC) if _SECONDS.fullmatch(tags.get(name, "")) else None


def _digest(tags: Mapping[str, str], names: Sequence[str], section: HeaderSection) -> str:
    # Without b=, which is not signed itself: the same signature can be written in many ways.
    own = [f"{name}={_SPACE.sub('', value)}" for name, value in sorted(tags.items()) if name != "b"]
    signed = set(names)
    fields = sorted(f"{name}:{' '.join(value.split())}" for name, value in section.fields if name in signed)
    return hashlib.sha256("\n".join([*own, *fields]).encode("utf-8", "surrogateescape")).hexdigest()
