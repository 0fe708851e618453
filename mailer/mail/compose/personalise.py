"""One recipient's copy of a composed letter: values are spliced in, nothing is rendered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from mailer.domain.token import Purpose, sign_token
from mailer.errors import AddressRefused
from mailer.mail.compose.compose_letter import ComposedLetter, truncate_subject
from mailer.mail.compose.letter_header import HeaderSlot
from mailer.mail.compose.merge_field import escape_value
from mailer.mail.message.header_writer import format_field, format_text_field
from mailer.mail.message.letter import Letter
from mailer.mail.message.quoted_printable import SOFT_BREAK, encode_quoted_printable

_ADDRESS = re.compile(r"[!-~]+@[!-~]+")
_LONGEST_PLAIN = 72
"""Up to so many ASCII letters and digits need no escaping and no encoding in any context."""
# As plain numbers: an enum lookup takes longer than the assignment it is for.
_TO, _SUBJECT, _DATE, _MESSAGE_ID, _LEAVE_PAGE, _LEAVE_ADDRESS, _REPLY_ADDRESS, _FEEDBACK_ID = map(int, HeaderSlot)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """The person a delivery goes to, with the values for merge fields."""

    delivery_id: int
    subscription_id: int
    address: str
    name: str | None
    attributes: dict[str, str]
    dated_at: datetime
    """Aware; the letter's Date."""
    language: str | None = None
    """The recipient's language tag, if known."""

    @property
    def values(self) -> dict[str, str]:
        """The values that a campaign file can use, by name; unknown ones are missing or empty."""
        return {**self.attributes, "name": self.name or "", "language": self.language or ""}


def personalise(composed: ComposedLetter, recipient: Recipient, merge_values: Sequence[str] | None = None) -> Letter:
    """The letter for one recipient; the same octets for the same input.

    `merge_values` are the values of `composed.merge_fields`; None takes them from the recipient, each on one line and
    cut to 200 characters. Raises AddressRefused for an address that cannot stand in To.
    """
    if merge_values is None:
        values = recipient.values
        merge_values = [merge_field.value_for(values) for merge_field in composed.merge_fields]
    site = composed.list_identity.site
    token = sign_token(site.keyring, Purpose.LEAVE, recipient.subscription_id).encode()
    pieces = list(composed.octets)
    pieces[_TO] = encode_to_address(recipient)
    if composed.subject:
        pieces[_SUBJECT] = format_text_field("Subject", personal_subject(composed, merge_values))
    pieces[_DATE] = _date_field(recipient.dated_at)
    pieces[_MESSAGE_ID] = site.message_id_local_part(recipient.delivery_id).encode()
    pieces[_LEAVE_PAGE] = pieces[_LEAVE_ADDRESS] = token
    pieces[_REPLY_ADDRESS] = sign_token(site.keyring, Purpose.REPLY, recipient.subscription_id).encode()
    pieces[_FEEDBACK_ID] = site.feedback_id(recipient.delivery_id).encode() if site.signed else b""
    token += SOFT_BREAK
    for place in composed.token_places:
        pieces[place] = token
    if composed.view_places:
        view_token = sign_token(site.keyring, Purpose.VIEW, recipient.subscription_id).encode() + SOFT_BREAK
        for place in composed.view_places:
            pieces[place] = view_token
    _fill_merge_fields(pieces, composed, merge_values)
    return Letter(site.return_path(recipient.delivery_id), recipient.address, b"".join(pieces), is_wire_ready=True)


def encode_to_address(recipient: Recipient) -> bytes:
    """The address as it stands in To. Raises AddressRefused if it cannot stand there."""
    if not _ADDRESS.fullmatch(recipient.address):
        raise AddressRefused(f"{recipient.address!r} cannot stand in a letter's header")
    return recipient.address.encode()


def personal_subject(composed: ComposedLetter, merge_values: Sequence[str]) -> str:
    """The subject with these merge values, cut to LONGEST_SUBJECT characters."""
    return truncate_subject(
        "".join([merge_values[piece] if isinstance(piece, int) else piece for piece in composed.subject])
    )


def _fill_merge_fields(pieces: list[bytes], composed: ComposedLetter, merge_values: Sequence[str]) -> None:
    """Put each merge value into its places, escaped and encoded, with a soft line break."""
    for slot in composed.merge_field_places:
        value = merge_values[slot.field_index]
        if value.isalnum() and value.isascii() and len(value) <= _LONGEST_PLAIN:
            octets = value.encode() + SOFT_BREAK
        else:
            octets = encode_quoted_printable(escape_value(value, slot.context)) + SOFT_BREAK
        for place in slot.places:
            pieces[place] = octets


@lru_cache(maxsize=64)
def _date_field(dated_at: datetime) -> bytes:
    # Cached because all letters of a batch have one date.
    return format_field("Date", [format_datetime(dated_at.astimezone(UTC))])
