"""Whether a page links to ours, and what it is called (Webmention, section 3.2.2)."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin

LONGEST_TITLE = 200
_LINKING_ATTRIBUTES = ("href", "src", "cite", "data", "poster")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_CHARSETS_OF_PAGES = re.compile(
    r"utf-8(?:-sig)?|utf-16(?:-[bl]e)?|ascii|iso8859-\d+|cp(?:125\d|866|874|932|949)|koi8-[ru]|gb(?:k|2312|18030)"
    r"|big5|euc_(?:jp|kr)|shift_jis|iso2022_jp|mac-(?:roman|cyrillic)|tis-620"
)
"""By the names that Python has for them. It knows others with which one page keeps it busy for a minute (Punycode)."""
_MOST_PIECES = 100_000
"""Tags and texts of a page that are looked at."""
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

    `url` is where the page was found at last, for its relative links. Never raises; takes up to seconds.
    """
    kind = content_type.partition(";")[0].strip().lower()
    wanted = _normalize(target)
    if kind == "text/plain":
        text = _decode(content, content_type)
        return MentioningPage(any(_normalize(one) == wanted for one in _URL_IN_TEXT.findall(text)), "")
    if kind not in ("text/html", "application/xhtml+xml"):
        return MentioningPage(links=False, title="")
    reader = _PageReader(url, wanted)
    # The standard library raises two of these for some broken markup; what stood before it counts.
    with suppress(AssertionError, ValueError, _PageTooLong):
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
        charset = codecs.lookup(declared[1] if declared else "utf-8").name
        return content.decode(charset if _CHARSETS_OF_PAGES.fullmatch(charset) else "utf-8", "replace")
    except (LookupError, ValueError):
        return content.decode("utf-8", "replace")


class _PageTooLong(Exception):
    """A page has more than _MOST_PIECES."""


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
        self._seen = 0

    @property
    def title(self) -> str:
        """What the page says for sharing, else its own title."""
        return self._open_graph or "".join(self._pieces)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at the links of an element; a title begins."""
        self._count()
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
        self._count()
        if self._in_title and not self._hidden:
            self._pieces.append(data)

    def _count(self) -> None:
        self._seen += 1
        if self._seen > _MOST_PIECES:
            raise _PageTooLong

    def _leads_there(self, link: str) -> bool:
        try:
            return _normalize(urljoin(self._url, link.strip())) == self._wanted
        except ValueError:
            return False
