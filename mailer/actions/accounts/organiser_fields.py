"""What is asked of an organiser's address, name, language and time zone."""

from __future__ import annotations

from mailer.domain.address import Address, parse_address
from mailer.domain.language import parse_language
from mailer.domain.local_time import parse_zone
from mailer.errors import AddressRefused, OrganiserRefused

MOST_NAME_CHARACTERS = 100


def check_organiser_address(text: str, own_domain: str) -> Address:
    """The address. Raises AddressRefused for what is none, and for those of the service's own domain."""
    address = parse_address(text)
    if address.domain == own_domain:
        raise AddressRefused(f"{text} is in this service's own domain: letters to it would come back to us")
    return address


def check_name(text: str | None) -> str | None:
    """The name on one line; None for an empty one. Raises OrganiserRefused."""
    name = (text or "").strip()
    if len(name) > MOST_NAME_CHARACTERS or not name.isprintable():
        raise OrganiserRefused(f"a name must be words on one line, at most {MOST_NAME_CHARACTERS} characters")
    return name or None


def check_language(text: str) -> str:
    """The language tag. Raises OrganiserRefused."""
    if (tag := parse_language(text)) is None:
        raise OrganiserRefused(f"{text!r} is not a language tag like en or tr")
    return tag


def check_zone(text: str) -> str:
    """The IANA name of a time zone. Raises TimeRefused."""
    return parse_zone(text.strip()).key
