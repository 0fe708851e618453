"""Read an archived mail as an EarlierLetter: date, subject, author's name, and text without addresses."""

from __future__ import annotations

import hashlib
import re
from email.utils import parseaddr

from mailer.domain.letters.earlier_letter import EarlierLetter
from mailer.errors import TableRefused
from mailer.mail.message.freshness import parse_date
from mailer.mail.message.header_section import HeaderSection
from mailer.mail.message.html_to_text import html_to_text
from mailer.mail.message.mime_parser import find_text_parts
from mailer.mail.message.parsed_message import ParsedMessage
from mailer.mail.message.text_decoding import decode_encoded_words

_LONGEST_SUBJECT, _LONGEST_TEXT, _LONGEST_NAME = 500, 200_000, 100
_LOCAL_PART = re.compile(r"(?:\"[^\"\n]{1,64}\"|[\w.!%'*+=~^-]{1,256})\Z")
_MOST_LOCAL = 256
_AT = r"(?:\s?[@\uff20]\s?|%(?:25)?40|&#64;|&#x40;|\sat\s|--at--|_at_|\s?[(\[{<]\s?(?:at|@)\s?[)\]}>]\s?)"
_DOT = r"(?:[.\u3002\uff0e\uff61]|\sdot\s|\s?[(\[{<]\s?(?:dot|\.)\s?[)\]}>]\s?)"
_AT_DOMAIN = re.compile(
    rf"{_AT}(?:(?:[\w-]{{1,63}}{_DOT}){{1,30}}(?:xn--[a-z0-9-]{{1,59}}|[^\W\d_]{{2,63}})|\[[0-9a-f.:]{{3,45}}\])",
    re.IGNORECASE,
)
"""From an at sign on, however it is written; the local part is looked for before it, which keeps this linear."""
_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b\u2028\u2029\u202d\u202e\u2060\ud800-\udfff\ufeff\ufffe\uffff]"
)
"""Control characters, what shows text in another order than it is written in, and what has no width."""
_MANY_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*){2,}")
_YEARS = range(1980, 2101)
"""Of letters; other dates are mistakes, and the last years of the calendar have no local time everywhere."""
_LONGEST_FROM = 300
MASK = "[…]"
"""What stands in an archive for an address."""


def read_mail_letter(raw: bytes, number: int | None = None) -> EarlierLetter:
    """The letter of a mail; `number` is its place in its archive. Raises TableRefused for one without date or text."""
    message = ParsedMessage(raw)
    section = message.header
    sent_at = next((at for value in _values(section, "date") if (at := parse_date(value))), None)
    if sent_at is None or sent_at.year not in _YEARS:
        raise TableRefused("a mail without a date: left out")
    text = _text_of(message)
    subject = _one_line(decode_encoded_words(next(iter(_values(section, "subject")), "")))[:_LONGEST_SUBJECT]
    if not text and not subject:
        raise TableRefused("a mail without a text: left out")
    return EarlierLetter(
        message_id=_message_id(section, raw),
        sent_at=sent_at,
        subject=mask_addresses(subject),
        author=_author(section),
        text=text,
        number=number,
    )


def clean_text(text: str) -> str:
    """A text for the archive: without control characters, many blank lines and addresses; cut where it is very long."""
    lines = _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return mask_addresses(_MANY_BLANK_LINES.sub("\n\n", lines).strip()[:_LONGEST_TEXT])


def mask_addresses(text: str) -> str:
    """The text with MASK for each address, also for one written as `rosa at example.org`, `rosa (at) example dot org`.

    Those in links are masked, too: `/options/talk/rosa%40example.org`.
    """
    kept, end = [], 0
    for found in _AT_DOMAIN.finditer(text):
        window = text[max(end, found.start() - _MOST_LOCAL) : found.start()]
        if (local := _LOCAL_PART.search(window)) is not None:
            kept += [text[end : found.start() - len(local[0])], MASK]
            end = found.end()
    return "".join((*kept, text[end:]))


def _text_of(message: ParsedMessage) -> str:
    parts = find_text_parts(message.root)
    plain = [part for part in parts if part.content_type == "text/plain"]
    return clean_text("\n\n".join(part.text if plain else html_to_text(part.text) for part in plain or parts[:1]))


def _values(section: HeaderSection, name: str) -> list[str]:
    return [value.strip() for value in section.values(name) if value.strip()]


def _author(section: HeaderSection) -> str | None:
    name, _ = parseaddr(decode_encoded_words(next(iter(_values(section, "from")), ""))[:_LONGEST_FROM])
    name = _one_line(name)[:_LONGEST_NAME]
    return mask_addresses(name) if name and mask_addresses(name) != MASK else None


def _message_id(section: HeaderSection, raw: bytes) -> str:
    found = next(iter(_values(section, "message-id")), "").strip("<> ")
    return _one_line(found)[:_LONGEST_SUBJECT] or f"{hashlib.sha256(raw).hexdigest()[:32]}@without.invalid"


def _one_line(text: str) -> str:
    return " ".join(_UNPRINTABLE.sub("", text).split())
