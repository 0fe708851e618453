"""Whether a page links to ours, and what it is called (Webmention, section 3.2.2)."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin

LONGEST_TITLE = 200
_LINKING_ATTRIBUTES = ("href", "src", "cite", "data", "poster")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_NOT_SHOWN = ("script", "style", "template", "noscript")
_URL_IN_TEXT = re.compile(r"https?://[^\s<>\"]+")


@dataclass(frozen=True, slots=True)
class MentioningPage:
    """What was read of a page."""

    links: bool
    """Whether it links to the target."""
    title: str
    """One line of plain text, at most LONGEST_TITLE characters; empty if it has none."""


def read_mentioning_page(content: bytes, content_type: str, url: str, target: str) -> MentioningPage:
    """What a page says: HTML, or plain text that holds the target. Other kinds of content link to nothing.

    `url` is where the page was found at last, for its relative links. Never raises.
    """
    kind = content_type.partition(";")[0].strip().lower()
    wanted = _normalize(target)
    if kind == "text/plain":
        text = _decode(content, content_type)
        return MentioningPage(any(_normalize(one) == wanted for one in _URL_IN_TEXT.findall(text)), "")
    if kind not in ("text/html", "application/xhtml+xml"):
        return MentioningPage(links=False, title="")
    reader = _PageReader(url, wanted)
    # The standard library raises these for some broken markup; what stood before it counts.
    with suppress(AssertionError, ValueError):
        reader.feed(_decode(content, content_type))
    return MentioningPage(reader.links, clean_title(reader.title))


def clean_title(text: str) -> str:
    """A title on one line, without what could turn or hide the text beside it."""
    line = " ".join(_CONTROLS.sub(" ", text).split())
    return line if len(line) <= LONGEST_TITLE else f"{line[: LONGEST_TITLE - 1]}…"


def _normalize(url: str) -> str:
    """A URL without its fragment, and a path of at least a slash."""
    plain = urldefrag(url.strip())[0]
    return plain if plain.count("/") > 2 else f"{plain}/"


def _decode(content: bytes, content_type: str) -> str:
    declared = _CHARSET.search(content_type) or _CHARSET.search(content[:1024].decode("latin-1"))
    try:
        return content.decode(declared[1] if declared else "utf-8", "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")


class _PageReader(HTMLParser):
    """Looks for a link to `wanted`, and collects the title."""

    def __init__(self, url: str, wanted: str) -> None:
        super().__init__(convert_charrefs=True)
        self.links = False
        self._url, self._wanted = url, wanted
        self._pieces: list[str] = []
        self._open_graph = ""
        self._in_title = False
        self._hidden = ""

    @property
    def title(self) -> str:
        """What the page says for sharing, else its own title."""
        return self._open_graph or "".join(self._pieces)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at the links of an element; a title begins."""
        if self._hidden:
            return
        if tag in _NOT_SHOWN:
            self._hidden = tag
            return
        values = {name: value or "" for name, value in attrs}
        if tag == "meta" and values.get("property") == "og:title":
            self._open_graph = self._open_graph or values.get("content", "")
        self._in_title = tag == "title" and not self._pieces
        self.links = self.links or any(self._leads_there(values[one]) for one in _LINKING_ATTRIBUTES if one in values)

    def handle_endtag(self, tag: str) -> None:
        """A title ends, or what nobody sees."""
        if tag == self._hidden:
            self._hidden = ""
        if tag == "title":
            self._in_title = False

    def handle_data(self, data: str) -> None:
        """Collect the title."""
        if self._in_title and not self._hidden:
            self._pieces.append(data)

    def _leads_there(self, link: str) -> bool:
        try:
            return _normalize(urljoin(self._url, link.strip())) == self._wanted
        except ValueError:
            return False
