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
from mailer.mail.compose.compose_letter import ComposedLetter, Gap, cut_subject
from mailer.mail.compose.merge_field import escaped
from mailer.mail.message.header_writer import header_field, text_field
from mailer.mail.message.letter import Letter
from mailer.mail.message.quoted_printable import SOFT_BREAK, encode_quoted_printable

_ADDRESS = re.compile(r"[!-~]+@[!-~]+")
_LONGEST_PLAIN = 72
"""Letters and digits of ASCII, so many at most, are the same in every context and encoding."""
# As plain numbers: looking up a member of an enum takes longer than what is done with it.
_TO, _SUBJECT, _DATE, _MESSAGE_ID, _LEAVE_PAGE, _LEAVE_ADDRESS, _REPLY_ADDRESS, _FEEDBACK_ID = map(int, Gap)


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


def personalise(composed: ComposedLetter, recipient: Recipient, words: Sequence[str] | None = None) -> Letter:
    """The letter for one reader; the same octets for the same input.

    `words` are those for `composed.holes`, where they are not simply this person's values. Such a value is one line
    of at most 200 characters, whatever it was. AddressRefused for what cannot stand in To.
    """
    if words is None:
        values = recipient.values
        words = [hole.word(values) for hole in composed.holes]
    house = composed.letterhead.house
    token = sign_token(house.keyring, Purpose.LEAVE, recipient.subscription_id).encode()
    pieces = list(composed.octets)
    pieces[_TO] = header_address(recipient)
    if composed.subject:
        pieces[_SUBJECT] = text_field("Subject", subject_for(composed, words))
    pieces[_DATE] = _date_field(recipient.dated_at)
    pieces[_MESSAGE_ID] = house.message_name(recipient.delivery_id).encode()
    pieces[_LEAVE_PAGE] = pieces[_LEAVE_ADDRESS] = token
    pieces[_REPLY_ADDRESS] = sign_token(house.keyring, Purpose.REPLY, recipient.subscription_id).encode()
    pieces[_FEEDBACK_ID] = house.feedback_id(recipient.delivery_id).encode() if house.signed else b""
    token += SOFT_BREAK
    for place in composed.tokens:
        pieces[place] = token
    _fill(pieces, composed, words)
    return Letter(house.return_path(recipient.delivery_id), recipient.address, b"".join(pieces), ready=True)


def header_address(recipient: Recipient) -> bytes:
    """The address as it stands in To; AddressRefused for what cannot."""
    if not _ADDRESS.fullmatch(recipient.address):
        raise AddressRefused(f"{recipient.address!r} cannot stand in a letter's header")
    return recipient.address.encode()


def subject_for(composed: ComposedLetter, words: Sequence[str]) -> str:
    """A subject that is not the same for all, as the reader of these words gets it."""
    return cut_subject("".join([words[piece] if isinstance(piece, int) else piece for piece in composed.subject]))


def _fill(pieces: list[bytes], composed: ComposedLetter, words: Sequence[str]) -> None:
    """Put the words into their places, encoded, each with a soft line break."""
    for filling in composed.fillings:
        word = words[filling.hole]
        if word.isalnum() and word.isascii() and len(word) <= _LONGEST_PLAIN:
            octets = word.encode() + SOFT_BREAK
        else:
            octets = encode_quoted_printable(escaped(word, filling.context)) + SOFT_BREAK
        for place in filling.places:
            pieces[place] = octets


@lru_cache(maxsize=64)
def _date_field(dated_at: datetime) -> bytes:
    # A whole batch of letters has one date.
    return header_field("Date", [format_datetime(dated_at.astimezone(UTC))])
