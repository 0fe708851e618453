"""Markdown of a campaign file: parsed into tokens with every link checked, and rendered as safe HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from mailer.mail.markdown.line_breaking import is_unspaced
from mailer.mail.markdown.link import check_link

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
# The parser would silently leave a link it rejects in the text; check_link refuses it with its line instead.
_MARKDOWN.validateLink = lambda url: True  # type: ignore[method-assign]
_MARKDOWN.normalizeLink = lambda url: url  # type: ignore[method-assign]
_URL_ATTRIBUTES = {"link_open": "href", "image": "src"}
_LINE_ENDS = {"softbreak", "hardbreak"}
_HEADING_TAGS = {"h2", "h3", "h4", "h5", "h6"}
_BLOCK_TAGS = {"blockquote", "hr", "li", "ol", "p", "pre", "ul"}
_INLINE_TAGS = {"a", "br", "code", "em", "img", "s", "strong"}
_TABLE_TAGS = {"table", "tbody", "td", "th", "thead", "tr"}
_ALLOWED_ATTRIBUTES = {
    "a": {"href", "title", "dir"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "td": {"align"},
    "th": {"align"},
}


def parse_markdown(source: str, first_line: int = 1) -> list[Token]:
    """The tokens of CommonMark with tables and ~~strikethrough~~; raw HTML is text.

    `source` holds placeholders instead of merge fields and begins on `first_line` of the file. Raises
    CampaignFileRefused, with the line, for a link that is not allowed.
    """
    tokens = _MARKDOWN.parse(source)
    for token in tokens:
        if token.type == "inline" and token.map:
            _check_links(token.children or [], first_line + token.map[0])
            _join_unspaced_lines(token.children or [])
        elif token.tag == "h1":
            # The title is the only first-level heading of a letter.
            token.tag = "h2"
        elif token.tag in {"td", "th"} and (style := token.attrs.pop("style", None)):
            token.attrs["align"] = str(style).removeprefix("text-align:")
    return tokens


@dataclass(frozen=True, slots=True)
class LinkPlace:
    """A link or a picture in a Markdown text."""

    url: str
    line: int
    is_image: bool
    text: str
    """What stands for it: the words of the link, or the description of the picture."""


def find_links(source: str, first_line: int = 1) -> list[LinkPlace]:
    """All links and pictures of a text like that of `parse_markdown`, allowed or not, with their lines."""
    found: list[LinkPlace] = []
    for token in _MARKDOWN.parse(source):
        if token.type == "inline" and token.map:
            found += _find_links_in(token.children or [], first_line + token.map[0])
    return found


def render_html(tokens: Sequence[Token]) -> str:
    """The tokens as HTML, reduced to a short list of harmless tags and attributes."""
    rendered = str(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))
    return nh3.clean(
        rendered,
        tags=_HEADING_TAGS | _BLOCK_TAGS | _INLINE_TAGS | _TABLE_TAGS,
        attributes=_ALLOWED_ATTRIBUTES,
        url_schemes={"https", "mailto", "tel"},
        link_rel=None,
    )


def _find_links_in(children: Sequence[Token], line: int) -> Iterator[LinkPlace]:
    for place, child in enumerate(children):
        if child.type in _LINE_ENDS:
            line += 1
        elif child.type == "image":
            yield LinkPlace(str(child.attrs["src"]), line, True, child.content.strip())
        elif child.type == "link_open":
            inside = takewhile(lambda one: one.type != "link_close", children[place + 1 :])
            yield LinkPlace(str(child.attrs["href"]), line, False, "".join(one.content for one in inside).strip())


def _join_unspaced_lines(children: Sequence[Token]) -> None:
    """Remove line ends between characters of scripts without spaces (CSS Text Module Level 3, section 4.1.3)."""
    for before, line_end, after in zip(children, children[1:], children[2:], strict=False):
        if line_end.type == "softbreak" and is_unspaced(before.content[-1:]) and is_unspaced(after.content[:1]):
            line_end.type, line_end.tag = "text", ""


def _check_links(children: Sequence[Token], line: int) -> None:
    for child in children:
        if child.type in _LINE_ENDS:
            line += 1
        elif attribute := _URL_ATTRIBUTES.get(child.type):
            child.attrs[attribute] = check_link(str(child.attrs[attribute]), line)
            if child.markup == "autolink":
                # An address reads from left to right, also among Arabic words.
                child.attrs["dir"] = "ltr"
