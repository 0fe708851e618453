"""The DKIM signatures that a mail carries, and which of them are worth checking (RFC 6376 section 3.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailer.mail.header_section import HeaderSection
from mailer.mail.tag_list import read_tags

_LONGEST, _MOST_NAMES = 6000, 500
_SINGLE = "from sender reply-to to cc subject date message-id in-reply-to references"
_SINGLE_IN_MIME = "mime-version content-type content-transfer-encoding"
_ONLY_ONCE = frozenset(f"{_SINGLE} {_SINGLE_IN_MIME}".split())
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
    """The signatures that could show who wrote: RSA with SHA-256 (RFC 8301), of From, Subject and to whom it is.

    None where a field stands twice that may only stand once (RFC 5322 section 3.6): of two the lower one is signed, and
    the upper one read.
    """
    names = [name for name, _ in section.fields if name in _ONLY_ONCE]
    if len(set(names)) < len(names):
        return []
    claims = [
        _claim(index, value, {"from", "to", "cc", "subject"} & set(names))
        for index, value in enumerate(section.values("dkim-signature"))
    ]
    return [claim for claim in claims if claim is not None]


def _claim(index: int, value: str, to_be_signed: set[str]) -> DkimClaim | None:
    if len(value) > _LONGEST:
        return None
    tags = read_tags(value)
    names = [name.strip().lower() for name in tags.get("h", "").split(":")]
    domain, selector = tags.get("d", "").lower(), tags.get("s", "").lower()
    if tags.get("a") != "rsa-sha256" or not to_be_signed <= set(names) or len(names) > _MOST_NAMES:
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
