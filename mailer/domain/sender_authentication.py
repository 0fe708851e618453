"""Whether a mail is from whom it says it is from, and how we know."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class AuthenticationMethod(StrEnum):
    """What shows that whoever is named stands behind a mail; of a domain (RFC 7489 section 3.1) that it is aligned."""

    DKIM = "dkim"
    """A valid signature of that domain (RFC 6376)."""
    SPF = "spf"
    """It came from a host of that domain, with an envelope sender of it (RFC 7208)."""
    OWN_SERVER = "host"
    """A mail server of our own said so (RFC 8601)."""
    REPLY_TOKEN = "answer"  # noqa: S105 (a name, no secret)
    """It came to an address that only this person was given."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SenderAuthentication:
    """What was found out about who wrote."""

    method: AuthenticationMethod | None
    """None: unproven, which is not the same as forged."""
    domain: str | None = None
    """The one that stands behind it, or that From claims."""
    why: str = ""
    """In a few words, for the record: what was checked and what came of it."""
    header_recipients: frozenset[str] = frozenset()
    """Whom the mail says it is to, as far as that is proven with it: addresses in lower case."""
    signature_digests: tuple[str, ...] = ()
    """Of what its signatures sign: a mail with one of these that was heard before is a copy of it."""

    @property
    def authenticated(self) -> bool:
        return self.method is not None

    def for_recipient(self, recipient: str) -> SenderAuthentication:
        """What it proves of the mail as one to this address of ours: nothing where the mail does not name it."""
        if self.method is None or recipient.lower() in self.header_recipients:
            return self
        return self.unauthenticated(f"neither To nor Cc names {recipient}")

    def unauthenticated(self, why: str) -> SenderAuthentication:
        """The same, proving nothing."""
        return replace(self, method=None, why=why)


UNAUTHENTICATED = SenderAuthentication(method=None, why="nothing was checked")
