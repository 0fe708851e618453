"""The first words that a person wrote themselves: without quotes, attributions and signatures."""

from __future__ import annotations

import re

from mailer.mail.mime import Part, text_parts
from mailer.mail.shown_text import shown_text

_LONGEST = 2000
_LOOKED_AT, _LINE = 100_000, 600
"""Characters of a text, and of one line of it, in which quotes are looked for."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ud800-\udfff]")
_ATTRIBUTION = re.compile(
    r"\s*(?:(?:on|le|el)\b(?=.*\d).{3,300}\b(?:wrote|écrit|escribió)"
    r"|am\b(?=.*\d).{3,300}\bschrieb\b.{0,200}|.{1,200}\bschrieb am\b.{3,200}"
    r"|.{3,300}\btarihinde\b.{0,200}\byazdı)\s*:\s*",
    re.IGNORECASE | re.DOTALL,
)
_ORIGINAL = re.compile(
    r"\s*(?:-{2,}\s*(?:original|urspr|özgün|orijinal|forwarded|weitergeleitet|iletilen|iletilmiş)|_{10,}\s*$"
    r"|(?:begin forwarded message|anfang der weitergeleiteten)\b)",
    re.IGNORECASE,
)
_FIRST_FIELD = re.compile(r"\s*\*?(?:from|von|kimden|gönderen)\s*:", re.IGNORECASE)
_DATE_FIELD = re.compile(r"^\s*\*?(?:sent|date|gesendet|datum|gönderildi|tarih)\s*:", re.IGNORECASE | re.MULTILINE)


def own_words(mail: Part) -> str:
    """Up to 2000 characters of a mail's own first text; empty where there is none.

    The plain text goes before the HTML one, unless it is blank.
    """
    for kind, told in (("text/plain", str), ("text/html", shown_text)):
        texts = (told(part.text[:_LOOKED_AT]) for part in text_parts(mail) if part.kind == kind)
        if text := next((text for text in texts if text.strip()), ""):
            return _unquoted(_CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))[:_LONGEST].strip()
    return ""


def _unquoted(text: str) -> str:
    lines = [line.strip() for line in text.split("\n")]
    own: list[str] = []
    number = length = 0
    while number < len(lines) and length <= _LONGEST and not _ends(lines, number):
        if attribution := _attribution(lines, number):
            number += attribution
            # Under an attribution there is a quote, and perhaps an answer; unmarked, the rest is all quote.
            if not next((line for line in lines[number : number + 3] if line), ">").startswith(">"):
                break
            continue
        if not lines[number].startswith(">"):
            own.append(lines[number])
            length += len(lines[number]) + 1
        number += 1
    return "\n".join(own).strip()


def _ends(lines: list[str], number: int) -> bool:
    """Whether a signature or an unmarked original begins here."""
    line = lines[number]
    if line == "--" or _ORIGINAL.match(line):
        return True
    return bool(_FIRST_FIELD.match(line)) and bool(_DATE_FIELD.search("\n".join(lines[number + 1 : number + 4])))


def _attribution(lines: list[str], number: int) -> int:
    """How many lines from here are "On ... Rosa wrote:"; none, one, or two where it was wrapped."""
    for count in (1, 2):
        told = " ".join(lines[number : number + count])
        if told.endswith(":") and len(told) <= _LINE and _ATTRIBUTION.fullmatch(told):
            return count
    return 0
