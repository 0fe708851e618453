"""The text that the author of a mail wrote: without banners, quotes, attributions and signatures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mailer.mail.message.gateway_banner import strip_banner
from mailer.mail.message.html_to_text import html_to_text
from mailer.mail.message.mime_parser import Part, find_text_parts, iter_leaf_parts
from mailer.mail.message.quote_stripping import count_attribution_lines, is_original_start, is_quoted, is_sent_from_line

_MAX_CHARACTERS = 2000
_MAX_SCANNED_CHARACTERS = 100_000
"""How much of a text is searched for quotes."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_SEE_HTML, _MAX_SEE_HTML_CHARACTERS = re.compile(r"\b(?:html|mime)\b", re.IGNORECASE), 400
"""A plain text such as "your mail program cannot show HTML", and its greatest length."""
# Signatures, keys and visiting cards are no attachments that say something.
_SIGNATURE_TYPES = re.compile(
    r"application/(?:pgp-(?:signature|keys)|(?:x-)?pkcs7-signature|ms-tnef)|text/(?:x-|directory|v)v?card"
)
_DOMAIN = re.compile(r"@([a-z0-9.-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReplyText:
    """The author's own text in a mail."""

    text: str
    """The beginning of it, up to 2000 characters; empty if there is none."""
    is_blank: bool
    """Whether the mail contains nothing, or nothing but a quote of the mail it replies to and a signature.

    A mail whose text only looks like a quote, or that has an attachment, is not blank.
    """


def extract_reply_text(mail: Part) -> ReplyText:
    """The author's own text in a mail.

    It is read from the first plain text, or from the HTML if the plain text is blank or only refers to the HTML.
    """
    parts = find_text_parts(mail)
    plain = _first_text(part.text[:_MAX_SCANNED_CHARACTERS] for part in parts if part.content_type == "text/plain")
    if not plain or (len(plain) < _MAX_SEE_HTML_CHARACTERS and _SEE_HTML.search(plain)):
        html_text = _first_text(
            html_to_text(part.text[:_MAX_SCANNED_CHARACTERS]) for part in parts if part.content_type == "text/html"
        )
        plain = html_text or plain
    text = _CONTROLS.sub("", plain.replace("\r\n", "\n").replace("\r", "\n"))
    lines = [line.strip() for line in text.split("\n")]
    own, has_quote = _strip_quotes(strip_banner(lines), mail)
    is_empty = not any(line and not is_sent_from_line(line) for line in lines) and not _has_attachments(mail, parts)
    return ReplyText(own[:_MAX_CHARACTERS].strip(), is_blank=not own and (has_quote or is_empty))


def _first_text(texts: Iterable[str]) -> str:
    return next((text for text in texts if text.strip()), "")


def _has_attachments(mail: Part, parts: Sequence[Part]) -> bool:
    """Whether there are parts other than the text and signatures."""
    return any(part not in parts and not _SIGNATURE_TYPES.match(part.content_type) for part in iter_leaf_parts(mail))


def _strip_quotes(lines: list[str], mail: Part) -> tuple[str, bool]:
    """The author's own lines, and whether the mail that it replies to is quoted."""
    own: list[str] = []
    number = length = 0
    has_quote = False
    while number < len(lines) and length <= _MAX_CHARACTERS and not _is_end(lines, number):
        line = lines[number]
        if not is_quoted(line) and (count := count_attribution_lines(lines, number)):
            # A quote follows an attribution, and perhaps more text; if the quote is not marked, all the rest is quote.
            if not is_quoted(next((line for line in lines[number + count :][:3] if line), ">")):
                break
            has_quote, number = True, number + count
            continue
        has_quote = has_quote or is_quoted(line)
        if not is_quoted(line) and not is_sent_from_line(line):
            own.append(line)
            length += len(line) + 1
        number += 1
    return "\n".join(own).strip(), has_quote or _contains_quote(lines[number:], mail)


def _is_end(lines: list[str], number: int) -> bool:
    """Whether a signature or an unmarked original begins at this line."""
    return lines[number] == "--" or is_original_start(lines, number)


def _contains_quote(rest: list[str], mail: Part) -> bool:
    """Whether the rest contains a quote: a marked one, or an original that names a domain that the mail was sent to."""
    if any(is_quoted(line) for line in rest):
        return True
    begin = next(
        (at for at in range(len(rest)) if is_original_start(rest, at) or count_attribution_lines(rest, at)), len(rest)
    )
    sent_to = _DOMAIN.findall(f"{mail.fields.get('to', '')} {mail.fields.get('cc', '')}")
    original = "\n".join(rest[begin:]).lower()
    return any(domain.lower().strip(".-") in original for domain in sent_to)
