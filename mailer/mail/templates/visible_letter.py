"""What a reader sees of a letter's HTML: words and links, and what hides them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mailer.mail.preflight.dark_styles import parse_declarations
from mailer.mail.preflight.html_elements import HtmlDocument, HtmlElement, read_html

_TITLE = re.compile(r"<title>([^<]*)</title>")
_NOTHING = re.compile(r"0(?:\.0*)?(?:px|em|rem|pt|%)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class VisibleLetter:
    """The visible part of a letter whose styles stand in its elements."""

    document: HtmlDocument
    title: str
    words: str
    """All visible text."""
    links: Mapping[str, str]
    """The visible words of each link by its address."""

    @property
    def root(self) -> Mapping[str, str]:
        """The attributes of <html>."""
        return next((one.attributes for one in self.document.elements if one.tag == "html"), {})

    @property
    def depth(self) -> int:
        """How deep elements stand in each other."""
        return max((sum(1 for _ in one.ancestors()) for one in self.document.elements), default=0)


def read_visible_letter(html: str) -> VisibleLetter:
    """The visible part of a letter."""
    document, title = read_html(html), _TITLE.search(html)
    shown, links = [], dict[str, str]()
    for element, words in document.words:
        if _is_hidden(element):
            continue
        shown.append(words)
        if address := next((href for one in element.ancestors() if (href := one.attributes.get("href"))), None):
            links[address] = f"{links.get(address, '')} {words}".strip()
    return VisibleLetter(document=document, title=title[1].strip() if title else "", words=" ".join(shown), links=links)


def _is_hidden(element: HtmlElement) -> bool:
    size = ""
    for one in element.ancestors():
        style = parse_declarations(one.attributes.get("style", ""))
        size = size or style.get("font-size", "")
        hides = {style.get("display"), style.get("visibility"), style.get("mso-hide")} & {"none", "hidden", "all"}
        if hides or _NOTHING.fullmatch(style.get("opacity", "")) or one.tag == "head":
            return True
    return bool(_NOTHING.fullmatch(size))
