"""The HTML of a letter as a list of elements and words, each with the elements that it stands in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_SECTION = re.compile(r"<!\[[^>]*>?")
_MOST_DEPTH = 400
"""Elements deeper than this are taken for their parent's: no letter is nested so."""


@dataclass(frozen=True, slots=True, eq=False)
class HtmlElement:
    """One element."""

    tag: str
    attributes: dict[str, str]
    parent: HtmlElement | None = None

    @property
    def classes(self) -> list[str]:
        """Its classes."""
        return self.attributes.get("class", "").split()

    def ancestors(self) -> Iterator[HtmlElement]:
        """The element itself, and those that it stands in, the innermost first."""
        one: HtmlElement | None = self
        while one is not None:
            yield one
            one = one.parent


@dataclass(frozen=True, slots=True)
class HtmlDocument:
    """All elements, and all words between them."""

    elements: list[HtmlElement] = field(default_factory=list)
    words: list[tuple[HtmlElement, str]] = field(default_factory=list)
    """(the element that they stand in, the words), white space joined."""
    styles: list[str] = field(default_factory=list)
    """What is in <style>."""


def read_html(text: str) -> HtmlDocument:
    """Read a page of HTML; what is not well-formed is read as browsers roughly would."""
    reader = _Reader()
    # Python's parser knows few of the sections that begin with <![ and fails at the others, which browsers skip.
    reader.feed(_SECTION.sub("", _COMMENT.sub("", text)))
    reader.close()
    return reader.document


class _Reader(HTMLParser):
    """Collects elements and words."""

    def __init__(self) -> None:
        super().__init__()
        self.document = HtmlDocument()
        self._open: list[HtmlElement] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element, and stand in it unless it is empty."""
        element = HtmlElement(tag, {name: value or "" for name, value in attrs}, self._open[-1] if self._open else None)
        self.document.elements.append(element)
        if tag not in _VOID and len(self._open) < _MOST_DEPTH:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        """Leave the innermost element of that name, if there is one."""
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place].tag == tag:
                del self._open[place:]
                return

    def handle_data(self, data: str) -> None:
        """Note words."""
        inner = self._open[-1] if self._open else None
        if inner is not None and inner.tag == "style":
            self.document.styles.append(data)
        elif inner is not None and inner.tag not in {"title", "script"} and (words := " ".join(data.split())):
            self.document.words.append((inner, words))
