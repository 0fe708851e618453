"""What a reader of an HTML mail sees, as plain text; quotes are only marked."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_HIDDEN_TAGS = {"style", "script", "head", "title", "template"}
_QUOTE_CLASSES = (
    "gmail_quote",
    "yahoo_quoted",
    "protonmail_quote",
    "tutanota_quote",
    "zmail_extra",
    "moz-forward-container",
)
_ORIGINAL_IDS = ("divrplyfwdmsg", "appendonsend", "mail-editor-reference-message-container", "isforwardcontent")
"""Ids of what Outlook and its kin put before the mail that is answered: the rest is all quote."""
_BLOCK_TAGS = {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "hr", "blockquote"}
_QUOTE_MARK = "\n>\n"


def html_to_text(html: str) -> str:
    """The text with a line for each block; a blockquote (or a mail program's own mark of one) is a line ">"."""
    reader = _TextExtractor()
    try:
        reader.feed(html)
    except AssertionError:
        # The standard library's word for markup it does not know, such as `<![x[`: what came before it stands.
        reader.words.append("\n")
    return "".join(reader.words)


class _TextExtractor(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._skipping = ""
        self._depth = 0
        self._over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line, or to skip what is quoted or not shown."""
        if self._skipping:
            self._depth += tag == self._skipping
            return
        if not self._over and any(mark in (dict(attrs).get("id") or "").lower() for mark in _ORIGINAL_IDS):
            self.words.append(_QUOTE_MARK)
            self._over = True
        quote = tag == "blockquote" or any(mark in (dict(attrs).get("class") or "") for mark in _QUOTE_CLASSES)
        if quote or tag in _HIDDEN_TAGS:
            self._skipping, self._depth = tag, 1
        if quote or tag in _BLOCK_TAGS:
            self.words.append(_QUOTE_MARK if quote else "\n")

    def handle_endtag(self, tag: str) -> None:
        """End a line, or speak again after what was skipped."""
        if not self._skipping:
            self.words.append("\n" if tag in _BLOCK_TAGS else "")
            return
        self._depth -= tag == self._skipping
        if not self._depth:
            self._skipping = ""

    def handle_data(self, data: str) -> None:
        """Keep what is shown, white space made single."""
        if not self._skipping and not self._over:
            self.words.append(re.sub(r"\s+", " ", data))
