"""The first words that a person wrote themselves: without quotes, attributions and signatures."""

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
"""Characters of a text in which quotes are looked for."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_SEE_HTML, _MAX_SEE_HTML_CHARACTERS = re.compile(r"\b(?:html|mime)\b", re.IGNORECASE), 400
"""What a plain text says that only tells to look at the page ("your mail program cannot show HTML"), and its length."""


# What seals or signs a mail, or a visiting card: it says nothing.
_SIGNATURE_TYPES = re.compile(
    r"application/(?:pgp-(?:signature|keys)|(?:x-)?pkcs7-signature|ms-tnef)|text/(?:x-|directory|v)v?card"
)
_DOMAIN = re.compile(r"@([a-z0-9.-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReplyText:
    """What a mail's author wrote into it."""

    text: str
    """Up to 2000 characters of their own first text; empty where there is none."""
    is_blank: bool
    """Whether there is nothing at all, or nothing but a quote of the mail that is answered (and a signature).

    A mail whose words only seem not to be the author's own, or that is an attachment, is not blank.
    """


def extract_reply_text(mail: Part) -> ReplyText:
    """What is a mail's own first text, without banners, quotes and signatures.

    The plain text goes before the HTML one, unless it is blank or says no more than that the HTML says it.
    """
    parts = find_text_parts(mail)
    plain = _first_text(part.text[:_MAX_SCANNED_CHARACTERS] for part in parts if part.content_type == "text/plain")
    if not plain or (len(plain) < _MAX_SEE_HTML_CHARACTERS and _SEE_HTML.search(plain)):
        page = _first_text(
            html_to_text(part.text[:_MAX_SCANNED_CHARACTERS]) for part in parts if part.content_type == "text/html"
        )
        plain = page or plain
    text = _CONTROLS.sub("", plain.replace("\r\n", "\n").replace("\r", "\n"))
    lines = [line.strip() for line in text.split("\n")]
    own, quotes = _strip_quotes(strip_banner(lines), mail)
    said = [line for line in lines if line and not is_sent_from_line(line)]
    return ReplyText(own[:_MAX_CHARACTERS].strip(), not own and (quotes or not (said or _has_attachments(mail, parts))))


def _first_text(texts: Iterable[str]) -> str:
    return next((text for text in texts if text.strip()), "")


def _has_attachments(mail: Part, parts: Sequence[Part]) -> bool:
    """Whether there are files beside the text."""
    return any(part not in parts and not _SIGNATURE_TYPES.match(part.content_type) for part in iter_leaf_parts(mail))


def _strip_quotes(lines: list[str], mail: Part) -> tuple[str, bool]:
    """The author's own lines, and whether another mail is quoted."""
    own: list[str] = []
    number = length = 0
    quotes = False
    while number < len(lines) and length <= _MAX_CHARACTERS and not _is_end(lines, number):
        line = lines[number]
        if not is_quoted(line) and (told := count_attribution_lines(lines, number)):
            # Under an attribution there is a quote, and perhaps an answer; unmarked, the rest is all quote.
            if not is_quoted(next((line for line in lines[number + told :][:3] if line), ">")):
                break
            quotes, number = True, number + told
            continue
        quotes = quotes or is_quoted(line)
        if not is_quoted(line) and not is_sent_from_line(line):
            own.append(line)
            length += len(line) + 1
        number += 1
    return "\n".join(own).strip(), quotes or _contains_quote(lines[number:], mail)


def _is_end(lines: list[str], number: int) -> bool:
    """Whether a signature or an unmarked original begins here."""
    return lines[number] == "--" or is_original_start(lines, number)


def _contains_quote(rest: list[str], mail: Part) -> bool:
    """Whether what is left out holds a quote: a marked one, or one that names a domain which the mail was sent to."""
    if any(is_quoted(line) for line in rest):
        return True
    begin = next(
        (at for at in range(len(rest)) if is_original_start(rest, at) or count_attribution_lines(rest, at)), len(rest)
    )
    sent_to = _DOMAIN.findall(f"{mail.fields.get('to', '')} {mail.fields.get('cc', '')}")
    told = "\n".join(rest[begin:]).lower()
    return any(domain.lower().strip(".-") in told for domain in sent_to)
