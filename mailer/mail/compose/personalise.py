"""One reader's copy of a composed letter: nothing is rendered any more, only spliced."""

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
"""Letters and digits of ASCII, so many at most, are the same in every context and encoding."""
# As plain numbers: looking up a member of an enum takes longer than what is done with it.
_TO, _SUBJECT, _DATE, _MESSAGE_ID, _LEAVE_PAGE, _LEAVE_ADDRESS, _REPLY_ADDRESS, _FEEDBACK_ID = map(int, HeaderSlot)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """Whom a delivery goes to, and what we know to fill the holes with."""

    delivery_id: int
    subscription_id: int
    address: str
    name: str | None
    attributes: dict[str, str]
    dated_at: datetime
    """Aware; the letter's Date."""
    language: str | None = None
    """The reader's own, where known."""

    @property
    def values(self) -> dict[str, str]:
        """What a manuscript can ask of this person, by name; what we do not know is missing or empty."""
        return {**self.attributes, "name": self.name or "", "language": self.language or ""}


def personalise(composed: ComposedLetter, recipient: Recipient, merge_values: Sequence[str] | None = None) -> Letter:
    """The letter for one reader; the same octets for the same input.

    `words` are those for `composed.holes`, where they are not simply this person's values. Such a value is one line
    of at most 200 characters, whatever it was. AddressRefused for what cannot stand in To.
    """
    if merge_values is None:
        values = recipient.values
        merge_values = [hole.value_for(values) for hole in composed.merge_fields]
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
    _fill_merge_fields(pieces, composed, merge_values)
    return Letter(site.return_path(recipient.delivery_id), recipient.address, b"".join(pieces), is_wire_ready=True)


def encode_to_address(recipient: Recipient) -> bytes:
    """The address as it stands in To; AddressRefused for what cannot."""
    if not _ADDRESS.fullmatch(recipient.address):
        raise AddressRefused(f"{recipient.address!r} cannot stand in a letter's header")
    return recipient.address.encode()


def personal_subject(composed: ComposedLetter, merge_values: Sequence[str]) -> str:
    """A subject that is not the same for all, as the reader of these words gets it."""
    return truncate_subject(
        "".join([merge_values[piece] if isinstance(piece, int) else piece for piece in composed.subject])
    )


def _fill_merge_fields(pieces: list[bytes], composed: ComposedLetter, merge_values: Sequence[str]) -> None:
    """Put the words into their places, encoded, each with a soft line break."""
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
    # A whole batch of letters has one date.
    return format_field("Date", [format_datetime(dated_at.astimezone(UTC))])
