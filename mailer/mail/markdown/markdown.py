"""Markdown of a campaign file: parsed into tokens with every link checked, and rendered as safe HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape, unescape
from itertools import takewhile

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from mailer.domain.letters.media import PATH
from mailer.errors import CampaignFileRefused
from mailer.mail.compose.merge_field import hide_placeholders
from mailer.mail.markdown.fenced_block import add_fenced_blocks, name_blocks
from mailer.mail.markdown.footnote import add_footnotes, check_footnotes, move_footnotes
from mailer.mail.markdown.html_rules import CLASSES, COLUMN_STYLES, TABLE_VALUES, add_html_rules, finish_columns
from mailer.mail.markdown.inline_places import inline_places
from mailer.mail.markdown.line_breaking import is_unspaced
from mailer.mail.markdown.link import check_link
from mailer.mail.markdown.picture import prepare_pictures
from mailer.mail.markdown.special_paragraph import mark_buttons, mark_figures

# Beyond its limit the parser would leave out text; name_blocks refuses fewer levels.
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "maxNesting": 60}).enable(["table", "strikethrough"])
# The parser would silently leave a link it rejects in the text; check_link refuses it with its line instead.
_MARKDOWN.validateLink = lambda url: True  # type: ignore[method-assign]
_MARKDOWN.normalizeLink = lambda url: url  # type: ignore[method-assign]
add_fenced_blocks(_MARKDOWN)
add_footnotes(_MARKDOWN)
add_html_rules(_MARKDOWN)
_MOST_FAULTS = 100
_MOST_BRACKET_STEPS = 500_000
"""One or two seconds: from each bracket the parser looks for the one that closes it, up to the end of the paragraph."""
_BRACKET = re.compile(r"\\.|[\[\]]|\n[ \t]*\n")
_URL_ATTRIBUTES = {"link_open": "href", "image": "src"}
_MEDIA_ATTRIBUTE = re.compile(rf'(?<= )(href|src)="({PATH.pattern})"')
_HEADING_TAGS = {"h2", "h3", "h4", "h5", "h6"}
_BLOCK_TAGS = {"blockquote", "div", "hr", "li", "ol", "p", "pre", "ul"}
_INLINE_TAGS = {"a", "br", "code", "em", "img", "s", "strong", "sup"}
_TABLE_TAGS = {"table", "tbody", "td", "th", "thead", "tr"}
_ALLOWED_ATTRIBUTES = {
    "a": {"href", "title", "dir"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "td": {"align"},
    "th": {"align"},
}


def parse_markdown(source: str, first_line: int = 1) -> list[Token]:
    """The tokens of CommonMark with tables, ~~strikethrough~~, footnotes and our own blocks; raw HTML is text.

    `source` holds placeholders instead of merge fields and begins on `first_line` of the file. Raises
    CampaignFileRefused, with the line, for a link that is not allowed and for blocks that are not whole.
    """
    tokens, faults = _parse(source, first_line)
    if faults:
        raise min(faults, key=lambda fault: fault.line or 0)
    for token in tokens:
        if token.type == "inline":
            _join_unspaced_lines(token.children or [])
        elif token.tag == "h1":
            # The title is the only first-level heading of a letter.
            token.tag = "h2"
        elif token.type == "table_open":
            token.attrs["class"] = "data"
        elif token.tag in {"td", "th"} and (style := token.attrs.pop("style", None)):
            token.attrs["align"] = str(style).removeprefix("text-align:")
    mark_figures(tokens)
    _break_lines_of_signatures(tokens)
    prepare_pictures(tokens)
    return move_footnotes(tokens)


def find_faults(source: str, first_line: int = 1) -> list[CampaignFileRefused]:
    """What `parse_markdown` would refuse in a text, of which it names the first alone; the first hundred, by line."""
    return sorted(_parse(source, first_line)[1], key=lambda fault: fault.line or 0)[:_MOST_FAULTS]


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
    if _bracket_steps(source) > _MOST_BRACKET_STEPS:
        return []  # _parse refuses it
    places = list(inline_places(_MARKDOWN.parse(source), first_line))
    found = []
    for at, (child, line) in enumerate(places):
        if child.type == "image":
            found.append(LinkPlace(str(child.attrs["src"]), line, True, child.content.strip()))
        elif child.type == "link_open":
            inside = takewhile(lambda one: one[0].type != "link_close", places[at + 1 :])
            words = "".join(one.content for one, _ in inside)
            found.append(LinkPlace(str(child.attrs["href"]), line, False, words.strip()))
    return found


def render_html(tokens: Sequence[Token], media_url: Callable[[str], str] = str) -> str:
    """The tokens as HTML, reduced to a short list of harmless tags, attributes and classes.

    `media_url` makes of the path of a file of this service what stands in the letter.
    """
    rendered = str(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))
    cleaned = nh3.clean(
        rendered,
        tags=_HEADING_TAGS | _BLOCK_TAGS | _INLINE_TAGS | _TABLE_TAGS,
        attributes=_ALLOWED_ATTRIBUTES,
        tag_attribute_values={"table": TABLE_VALUES, "div": {"style": COLUMN_STYLES}},
        allowed_classes=CLASSES,
        url_schemes={"https", "mailto", "tel"},
        link_rel=None,
    )
    with_media = _MEDIA_ATTRIBUTE.sub(lambda match: f'{match[1]}="{escape(media_url(unescape(match[2])))}"', cleaned)
    return finish_columns(with_media)


def _parse(source: str, first_line: int) -> tuple[list[Token], list[CampaignFileRefused]]:
    if _bracket_steps(source) > _MOST_BRACKET_STEPS:
        reason = "too many brackets [ are not closed in one paragraph; write \\[ for one that begins no link"
        return [], [CampaignFileRefused(reason, first_line)]
    tokens = _MARKDOWN.parse(source)
    faults = name_blocks(tokens, first_line)
    faults += check_footnotes(tokens, first_line)
    faults += mark_buttons(tokens, first_line)
    faults += _check_links(tokens, first_line)
    return tokens, faults


def _bracket_steps(source: str) -> int:
    """How many characters the parser goes over in search of closing brackets, at most."""
    steps = depth = at = 0
    for match in _BRACKET.finditer(source):
        steps += depth * (match.start() - at)
        at, found = match.start(), match[0]
        if found.startswith("\\"):
            continue
        depth = depth + 1 if found == "[" else max(depth - 1, 0) if found == "]" else 0
    return steps + depth * (len(source) - at)


def _check_links(tokens: Sequence[Token], first_line: int) -> Iterator[CampaignFileRefused]:
    for child, line in inline_places(tokens, first_line):
        if not (attribute := _URL_ATTRIBUTES.get(child.type)):
            continue
        url = str(child.attrs[attribute])
        if PATH.fullmatch(url):
            continue
        try:
            child.attrs[attribute] = check_link(url, line)
        except CampaignFileRefused as fault:
            yield fault
            continue
        if child.type == "image" and not url.lower().startswith("https:"):
            reason = "must begin with https://, or be a path /media/... of a picture that was added here"
            yield CampaignFileRefused(f"the address of a picture, {hide_placeholders(url)!r}, {reason}", line)
        if child.markup == "autolink":
            # An address reads from left to right, also among Arabic words.
            child.attrs["dir"] = "ltr"


def _break_lines_of_signatures(tokens: Sequence[Token]) -> None:
    """Keep the line ends that a signature was written with."""
    depth = 0
    for token in tokens:
        depth += (token.type == "signature_open") - (token.type == "signature_close")
        for child in token.children or () if depth else ():
            if child.type == "softbreak":
                child.type, child.tag = "hardbreak", "br"


def _join_unspaced_lines(children: Sequence[Token]) -> None:
    """Remove line ends between characters of scripts without spaces (CSS Text Module Level 3, section 4.1.3)."""
    for before, line_end, after in zip(children, children[1:], children[2:], strict=False):
        if line_end.type == "softbreak" and is_unspaced(before.content[-1:]) and is_unspaced(after.content[:1]):
            line_end.type, line_end.tag = "text", ""
