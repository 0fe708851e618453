"""The DKIM signatures that a mail carries, and which of them are worth checking (RFC 6376 section 3.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailer.mail.header_section import HeaderSection
from mailer.mail.tag_list import read_tags

_LONGEST, _MOST_NAMES = 6000, 500
_LONG_GAP = re.compile(r"\s{40}")
"""Verifiers search signatures with patterns that take their time over long gaps."""
_DOMAIN = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_NAME = 253


@dataclass(frozen=True, kw_only=True, slots=True)
class DkimClaim:
    """What a DKIM-Signature field says of itself; nothing of it is shown to be true."""

    index: int
    """Which of the mail's DKIM-Signature fields it is, from the top."""
    domain: str
    """d=, who signs; lower case."""
    selector: str
    identity: str
    """The domain of i=, else d=."""
    relaxed_body: bool
    """Whether the body was made canonical by the relaxed algorithm, else by the simple one."""
    length: str | None
    """l=, how much of the body is signed."""

    @property
    def key_name(self) -> str:
        """Where the key is published (section 3.6.2.1)."""
        return f"{self.selector}._domainkey.{self.domain}"


def dkim_claims(section: HeaderSection) -> list[DkimClaim]:
    """The signatures that could show who wrote: RSA with SHA-256 (RFC 8301), and From among what is signed."""
    claims = [_claim(index, value) for index, value in enumerate(section.values("dkim-signature"))]
    return [claim for claim in claims if claim is not None]


def _claim(index: int, value: str) -> DkimClaim | None:
    if len(value) > _LONGEST or _LONG_GAP.search(value):
        return None
    tags = read_tags(value)
    names = [name.strip().lower() for name in tags.get("h", "").split(":")]
    domain, selector = tags.get("d", "").lower(), tags.get("s", "").lower()
    if tags.get("a") != "rsa-sha256" or "from" not in names or len(names) > _MOST_NAMES:
        return None
    if not _DOMAIN.fullmatch(domain) or not _DOMAIN.fullmatch(selector) or len(domain + selector) > _LONGEST_NAME - 12:
        return None
    return DkimClaim(
        index=index,
        domain=domain,
        selector=selector,
        identity=tags.get("i", domain).rpartition("@")[2].lower(),
        relaxed_body=tags.get("c", "").partition("/")[2].strip() == "relaxed",
        length=tags.get("l"),
    )
