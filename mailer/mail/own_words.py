"""The first words that a person wrote themselves: without quotes, attributions and signatures."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mailer.mail.mime import Part, text_parts
from mailer.mail.quoting import attribution, begins_original, is_quoted, is_sent_from
from mailer.mail.shown_text import shown_text

_LONGEST = 2000
_LOOKED_AT = 100_000
"""Characters of a text in which quotes are looked for."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_SEE_PAGE, _SEE_PAGE_LONGEST = re.compile(r"\b(?:html|mime)\b", re.IGNORECASE), 400
"""What a plain text says that only tells to look at the page ("your mail program cannot show HTML"), and its length."""


def own_words(mail: Part) -> str:
    """Up to 2000 characters of a mail's own first text; empty where there is none.

    The plain text goes before the HTML one, unless it is blank or says no more than that the HTML says it.
    """
    parts = text_parts(mail)
    plain = _first_text(part.text[:_LOOKED_AT] for part in parts if part.kind == "text/plain")
    if not plain or (len(plain) < _SEE_PAGE_LONGEST and _SEE_PAGE.search(plain)):
        page = _first_text(shown_text(part.text[:_LOOKED_AT]) for part in parts if part.kind == "text/html")
        plain = page or plain
    return _unquoted(_CONTROLS.sub("", plain.replace("\r\n", "\n").replace("\r", "\n")))[:_LONGEST].strip()


def _first_text(texts: Iterable[str]) -> str:
    return next((text for text in texts if text.strip()), "")


def _unquoted(text: str) -> str:
    lines = [line.strip() for line in text.split("\n")]
    own: list[str] = []
    number = length = 0
    while number < len(lines) and length <= _LONGEST and not _ends(lines, number):
        line = lines[number]
        if not is_quoted(line) and (told := attribution(lines, number)):
            number += told
            # Under an attribution there is a quote, and perhaps an answer; unmarked, the rest is all quote.
            if not is_quoted(next((line for line in lines[number : number + 3] if line), ">")):
                break
            continue
        if not is_quoted(line) and not is_sent_from(line):
            own.append(line)
            length += len(line) + 1
        number += 1
    return "\n".join(own).strip()


def _ends(lines: list[str], number: int) -> bool:
    """Whether a signature or an unmarked original begins here."""
    return lines[number] == "--" or begins_original(lines, number)
