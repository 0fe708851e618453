"""A person's address: checked once at the door, compared by key, mailed as first given."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from mailer.errors import AddressRefused

# Providers that deliver a.b@ and ab@ to one person; limits against bombing must see through it.
_DOTS_IGNORED = frozenset({"gmail.com", "googlemail.com"})


@dataclass(frozen=True, slots=True)
class Address:
    """An address we could mail (RFC 5321 section 4.1.2; ASCII local part, A-label domain)."""

    mailed: str
    """As first given, with the domain as A-label: what stands in RCPT TO and To."""

    @property
    def key(self) -> str:
        """The `address_key`: two addresses with one key are the same person's."""
        return unicodedata.normalize("NFC", self.mailed).casefold()

    @property
    def mailbox_key(self) -> str:
        """The key without plus-tag (and Gmail's dots): what limits count by."""
        local, _, domain = self.key.rpartition("@")
        local = local.partition("+")[0] or local
        if domain in _DOTS_IGNORED:
            local = local.replace(".", "")
        return f"{local}@{domain}"

    @property
    def domain(self) -> str:
        return self.mailed.rpartition("@")[2].lower()


def parse_address(text: str) -> Address:
    """The address in `text`; AddressRefused says what is wrong with it."""
    from email_validator import EmailNotValidError, validate_email

    candidate = unicodedata.normalize("NFC", text.strip())
    try:
        valid = validate_email(candidate, check_deliverability=False, allow_smtputf8=False, globally_deliverable=False)
    except EmailNotValidError as refusal:
        raise AddressRefused(f"{_shown(candidate)} is not an address: {refusal}") from None
    mailed = valid.ascii_email
    if mailed is None or "." not in valid.ascii_domain:
        raise AddressRefused(f"{_shown(candidate)} is not an address: its domain has no dot")
    return Address(mailed)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")
