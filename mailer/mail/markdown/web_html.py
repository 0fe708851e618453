"""A letter's HTML made fit for a public page: harmless tags, and no picture from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape, unescape
from urllib.parse import urlsplit

import nh3

from mailer.domain.letters.media import MEDIA_PATH

CLASSES = frozenset(
    {"button-row", "button", "callout", "callout-text", "figure", "caption", "columns", "column", "footnote"}
    | {"footnotes", "signature", "data"}
)
"""Of blocks in Markdown; the stylesheet of the pages knows them."""
_TAGS = {
    *("a", "blockquote", "br", "code", "div", "em", "figcaption", "figure", "h2", "h3", "h4", "h5", "h6", "hr"),
    *("img", "li", "ol", "p", "pre", "s", "section", "span", "strong", "sup"),
    *("table", "tbody", "td", "th", "thead", "tr", "ul"),
}
_ATTRIBUTES = {
    "*": {"class", "dir", "lang", "id"},
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "td": {"align"},
    "th": {"align"},
    "table": {"role"},
}
_LINK_OR_PICTURE = re.compile(r'</?a\b(?:\s+[a-z-]+="[^"]*")*>|<img(?P<picture>(?:\s+[a-z-]+="[^"]*")*)\s*/?>')
_ATTRIBUTE = re.compile(r'([a-z-]+)="([^"]*)"')


def clean_for_web(html: str) -> str:
    """The HTML with only the tags, attributes and classes that pages know (nh3); it may have pictures of the service.

    Any other picture becomes a link to it: whoever reads a page asks nobody else for anything.
    """
    return "".join(_without_others_pictures(_clean(html)))


def find_pictures(html: str) -> tuple[str, ...]:
    """The addresses of the pictures in HTML that `clean_for_web` made, in order."""
    written = (found["picture"] for found in _LINK_OR_PICTURE.finditer(html))
    sources = (dict(_ATTRIBUTE.findall(one)).get("src") for one in written if one)
    return tuple(unescape(one) for one in sources if one)


def _clean(html: str) -> str:
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_known_classes,
        url_schemes={"https", "mailto", "tel"},
        link_rel=None,
    )


def _known_classes(_tag: str, attribute: str, value: str) -> str | None:
    if attribute != "class":
        return value
    return " ".join(one for one in value.split() if one in CLASSES) or None


def _without_others_pictures(html: str) -> Iterator[str]:
    """Pieces of clean HTML, with a link, or in a link its words, in place of each picture from elsewhere."""
    is_in_link, end = False, 0
    for tag in _LINK_OR_PICTURE.finditer(html):
        yield html[end : tag.start()]
        end = tag.end()
        if tag["picture"] is None:
            is_in_link = not tag[0].startswith("</")
            yield tag[0]
        else:
            yield _own_or_link(tag[0], tag["picture"], is_in_link)
    yield html[end:]


def _own_or_link(tag: str, written: str, is_in_link: bool) -> str:
    attributes = {name: unescape(value) for name, value in _ATTRIBUTE.findall(written)}
    source = attributes.get("src", "")
    if source.startswith(MEDIA_PATH):
        return tag
    words = attributes.get("alt") or urlsplit(source).hostname or ""
    return escape(words) if is_in_link or not words else f'<a href="{escape(source)}">{escape(words)}</a>'
