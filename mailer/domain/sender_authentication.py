"""Whether a mail is from the address in its From field, how we know, and which domain may vouch for which."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class AuthenticationMethod(StrEnum):
    """What authenticated a sender. Domains are aligned with that in From (RFC 7489 section 3.1)."""

    DKIM = "dkim"
    """A valid signature of the domain (RFC 6376)."""
    SPF = "spf"
    """The mail came from a host of the domain, with an envelope sender in it (RFC 7208)."""
    OWN_SERVER = "host"
    """A mail server of ours says so in Authentication-Results (RFC 8601)."""
    REPLY_TOKEN = "answer"  # noqa: S105 (a name, no secret)
    """The mail came to an address that only this person was given."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SenderAuthentication:
    """The outcome of authenticating the sender of a mail."""

    method: AuthenticationMethod | None
    """None: not authenticated, which is not the same as forged."""
    domain: str | None = None
    """The domain that was authenticated, or the one in From."""
    why: str = ""
    """A few words for the consent record: what was checked, with which result."""
    header_recipients: frozenset[str] = frozenset()
    """The addresses in To and Cc, in lower case; authenticated together with the sender."""
    signature_digests: tuple[str, ...] = ()
    """Digests of what the signatures sign: a later mail with one of these is a replay."""

    @property
    def authenticated(self) -> bool:
        return self.method is not None

    def for_recipient(self, recipient: str) -> SenderAuthentication:
        """The outcome for the mail as one to this address of ours: unauthenticated if To and Cc do not name it."""
        if self.method is None or recipient.lower() in self.header_recipients:
            return self
        return self.unauthenticated(f"neither To nor Cc names {recipient}")

    def unauthenticated(self, why: str) -> SenderAuthentication:
        """The same, but not authenticated."""
        return replace(self, method=None, why=why)


UNAUTHENTICATED = SenderAuthentication(method=None, why="nothing was checked")


def is_same_or_parent_domain(domain: str, author: str) -> bool:
    """Whether `domain` may vouch for the domain `author` in From if no DMARC record says anything about that.

    A domain vouches for itself and its subdomains, since its owner creates these. It does not vouch for its parents:
    else a tenant of example.org (mallory.example.org) could vouch for the landlord. A top-level domain vouches for no
    other.
    """
    return domain == author or ("." in domain and author.endswith(f".{domain}"))


def may_be_aligned(one: str, other: str) -> bool:
    """Whether two domains could be aligned at all, whatever records say: their last two labels are the same."""
    return one == other or one.split(".")[-2:] == other.split(".")[-2:] != [""]
