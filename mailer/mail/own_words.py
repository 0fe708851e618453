"""The first words that a person wrote themselves: without quotes, attributions and signatures."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.message import Message
from html.parser import HTMLParser

_MOST_OCTETS = 512 * 1024
_MOST_NESTED = 20
_LONGEST = 2000
_NESTING = re.compile(rb"(?:multipart|message)/", re.IGNORECASE)
_ATTRIBUTION = re.compile(
    r"^(?:(?:on|am|le|el)\b.{3,200}(?:wrote|schrieb\b.{0,100}|écrit|escribió)\s*:|.{3,200}\btarihinde\b.{0,200}yazdı\s*:)\s*$",
    re.IGNORECASE | re.DOTALL,
)
_ORIGINAL = re.compile(
    r"^\s*(?:-{2,}\s*(?:original|urspr|orijinal|forwarded|weitergeleitet)|_{10,}|(?:from|von|kimden)\s*:\s)",
    re.IGNORECASE,
)
_SILENT = {"style", "script", "head", "title", "blockquote"}
_BREAKS = {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "hr"}


def own_words(raw: bytes) -> str:
    """Up to 2000 characters of a mail's own first text; empty where there is none or it hides too deep."""
    if len(_NESTING.findall(raw)) > _MOST_NESTED:
        return ""
    message = message_from_bytes(raw[:_MOST_OCTETS])
    parts = [part for part in message.walk() if not part.is_multipart()]
    for kind, told in (("text/plain", str), ("text/html", _text_of_html)):
        for part in parts:
            if part.get_content_type() == kind and part.get_content_disposition() != "attachment":
                return _unquoted(told(_text(part)))[:_LONGEST]
    return ""


def _text(part: Message) -> str:
    octets = part.get_payload(decode=True)
    if not isinstance(octets, bytes):
        return ""
    try:
        return octets.decode(str(part.get_content_charset("utf-8")), "replace")
    except (LookupError, ValueError):
        return octets.decode("utf-8", "replace")


def _unquoted(text: str) -> str:
    lines = text.replace("\x00", "").splitlines()
    own: list[str] = []
    for number, line in enumerate(lines):
        wrapped = "\n".join(lines[number : number + 2])
        if line in {"-- ", "--"} or _ORIGINAL.match(line):
            break
        if _ATTRIBUTION.match(line) or _ATTRIBUTION.match(wrapped):
            break
        if not line.lstrip().startswith(">"):
            own.append(line.strip())
        if sum(map(len, own)) > _LONGEST:
            break
    return "\n".join(own).strip()


class _Stripper(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Skip what is quoted or not shown."""
        if tag in _SILENT or "gmail_quote" in (dict(attrs).get("class") or ""):
            self._silent.append(tag)
        elif tag in _BREAKS:
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """Speak again after what was skipped."""
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        """Keep what is shown."""
        if not self._silent:
            self.words.append(data)


def _text_of_html(html: str) -> str:
    stripper = _Stripper()
    stripper.feed(html)
    return "".join(stripper.words)
