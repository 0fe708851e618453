"""One reader's copy of a composed letter: nothing is rendered any more, only spliced."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from mailer.domain.token import Purpose, sign_token
from mailer.errors import AddressRefused
from mailer.mail.compose import ComposedLetter, leave_page
from mailer.mail.header import header_field, text_field
from mailer.mail.hole import LEAVE_TOKEN, Slot
from mailer.mail.letter import Letter
from mailer.mail.manuscript import LONGEST_SUBJECT
from mailer.mail.quoted_printable import SOFT_BREAK, encode_quoted_printable

_ADDRESS = re.compile(r"[!-~]+@[!-~]+")


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


def personalise(composed: ComposedLetter, recipient: Recipient) -> Letter:
    """The letter for one reader; the same octets for the same input.

    A value is one line of at most 200 characters, whatever it was. AddressRefused for what cannot stand in To.
    """
    if not _ADDRESS.fullmatch(recipient.address):
        raise AddressRefused(f"{recipient.address!r} cannot stand in a letter's header")
    letterhead = composed.letterhead
    token = sign_token(letterhead.house.keyring, Purpose.LEAVE, recipient.subscription_id)
    values = {**recipient.attributes, "name": recipient.name or "", LEAVE_TOKEN.name: token}
    ways_out = [f"<{leave_page(letterhead, token)}>,", f"<mailto:{letterhead.address('leave', token)}>"]
    content = b"".join(
        (
            composed.sender,
            header_field("To", [recipient.address]),
            text_field("Subject", _subject(composed.subject, values)),
            header_field("Date", [format_datetime(recipient.dated_at.astimezone(UTC))]),
            header_field("Message-ID", [letterhead.house.message_id(recipient.delivery_id)]),
            # RFC 2369; one click is RFC 8058.
            header_field("List-Unsubscribe", ways_out),
            b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
            composed.header,
            b"\r\n",
            *_filled(composed, values),
        )
    )
    return Letter(letterhead.house.return_path(recipient.delivery_id), recipient.address, content)


def _subject(pieces: tuple[str | Slot, ...], values: Mapping[str, str]) -> str:
    subject = "".join(piece if isinstance(piece, str) else piece.fill(values) for piece in pieces)
    return subject if len(subject) <= LONGEST_SUBJECT else f"{subject[: LONGEST_SUBJECT - 1]}…"


def _filled(composed: ComposedLetter, values: Mapping[str, str]) -> list[bytes]:
    fillings = [encode_quoted_printable(slot.fill(values)) + SOFT_BREAK for slot in composed.slots]
    return [fillings[piece] if isinstance(piece, int) else piece for piece in composed.body]
