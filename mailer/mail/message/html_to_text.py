"""The visible text of an HTML mail; a quote is replaced by a mark."""

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
"""Ids of the elements that Outlook and other programs put before the quoted mail: everything after them is quote."""
_BLOCK_TAGS = {"p", "div", "br", "li", "tr", "h1", "h2", "h3", "hr", "blockquote"}
_QUOTE_MARK = "\n>\n"


def html_to_text(html: str) -> str:
    """The visible text, one line for each block. A blockquote, or a mail program's equivalent, becomes a line ">"."""
    extractor = _TextExtractor()
    try:
        extractor.feed(html)
    except AssertionError:
        # The standard library raises this for unknown markup such as `<![x[`; the text before it is kept.
        extractor.pieces.append("\n")
    return "".join(extractor.pieces)


class _TextExtractor(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._skipping = ""
        self._depth = 0
        self._is_after_original = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a new line, or begin to skip a quote or an invisible element."""
        if self._skipping:
            self._depth += tag == self._skipping
            return
        if not self._is_after_original and any(mark in (dict(attrs).get("id") or "").lower() for mark in _ORIGINAL_IDS):
            self.pieces.append(_QUOTE_MARK)
            self._is_after_original = True
        quote = tag == "blockquote" or any(mark in (dict(attrs).get("class") or "") for mark in _QUOTE_CLASSES)
        if quote or tag in _HIDDEN_TAGS:
            self._skipping, self._depth = tag, 1
        if quote or tag in _BLOCK_TAGS:
            self.pieces.append(_QUOTE_MARK if quote else "\n")

    def handle_endtag(self, tag: str) -> None:
        """End a line, or the element that is skipped."""
        if not self._skipping:
            self.pieces.append("\n" if tag in _BLOCK_TAGS else "")
            return
        self._depth -= tag == self._skipping
        if not self._depth:
            self._skipping = ""

    def handle_data(self, data: str) -> None:
        """Add visible text, each run of white space as one space."""
        if not self._skipping and not self._is_after_original:
            self.pieces.append(re.sub(r"\s+", " ", data))
