"""Email addresses: parsed once where they come in, compared by key, mailed as first given."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from mailer.errors import AddressRefused

# Nearly all addresses: RFC 5321 Dot-string, and a domain of LDH labels without an A-label. email_validator accepts all
# of them too, and takes eight times as long: too long when a hundred thousand are imported.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PLAIN = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?P<domain>(?:{_LABEL}\.)+[A-Za-z]{{2,63}})")
_MAX_LOCAL_PART, _MAX_ADDRESS = 64, 254
_IN_TEXT = re.compile(r"""[^\s<>()\[\],;:"'=]+@[^\s<>()\[\],;:"'=]+""")

# Providers that deliver a.b@ and ab@ to one mailbox; abuse limits count these as one.
_DOTS_IGNORED = frozenset({"gmail.com", "googlemail.com"})


@dataclass(frozen=True, slots=True)
class Address:
    """An address that mail can be sent to (RFC 5321 section 4.1.2; ASCII local part, A-label domain)."""

    addr_spec: str
    """The address as first given, with the domain as A-labels, for RCPT TO and the To field."""

    @property
    def key(self) -> str:
        """The `address_key`, NFC and casefolded: two addresses with the same key are the same subscriber's."""
        return unicodedata.normalize("NFC", self.addr_spec).casefold()

    @property
    def mailbox_key(self) -> str:
        """The key without a plus-tag (and without dots at Gmail): abuse limits count by it."""
        return mailbox_key_of(self.key)

    @property
    def domain(self) -> str:
        return self.addr_spec.rpartition("@")[2].lower()


def mailbox_key_of(address_key: str) -> str:
    """The `mailbox_key` of the address with this key."""
    local, _, domain = address_key.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _DOTS_IGNORED:
        local = local.replace(".", "")
    return f"{local}@{domain}"


def parse_address(text: str) -> Address:
    """Parse an address, blanks around it ignored. AddressRefused says what is wrong with it."""
    candidate = text.strip()
    plain = _PLAIN.fullmatch(candidate)
    if (
        plain
        and len(candidate) <= _MAX_ADDRESS
        and len(plain["local"]) <= _MAX_LOCAL_PART
        and "--" not in plain["domain"]
    ):
        return Address(f"{plain['local']}@{plain['domain'].lower()}")
    return _parse_any(unicodedata.normalize("NFC", candidate))


def _parse_any(candidate: str) -> Address:
    from email_validator import EmailNotValidError, validate_email

    try:
        valid = validate_email(
            candidate, check_deliverability=False, allow_smtputf8=False, globally_deliverable=False, strict=True
        )
    except EmailNotValidError as refusal:
        raise AddressRefused(f"{_shorten(candidate)} is not an address: {refusal}") from None
    addr_spec = valid.ascii_email
    if addr_spec is None or "." not in valid.ascii_domain:
        raise AddressRefused(f"{_shorten(candidate)} is not an address: its domain has no dot")
    return Address(addr_spec)


def _shorten(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")


def hide_addresses(text: str) -> str:
    """The text with … in place of each address in it, for people who may not see whom letters went to."""
    return _IN_TEXT.sub("…", text)
