"""Rules for the tags of a template, in HTML or MJML: what may stand in it, and where its links may lead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from mailer.domain.letters.media import PATH
from mailer.errors import CampaignFileRefused
from mailer.mail.markdown.link import check_link
from mailer.mail.templates.markup_names import (
    ATTRIBUTES,
    ELEMENTS,
    HTTP_EQUIVALENTS,
    LITERAL_ATTRIBUTES,
    MJML_ATTRIBUTES,
    MJML_ELEMENTS,
    MJML_OPEN_ATTRIBUTES,
    OUTLOOK_ELEMENTS,
)
from mailer.mail.templates.markup_tags import Attribute, Inserted, Tag
from mailer.mail.templates.stylesheet_rules import style_problems
from mailer.mail.templates.template_values import ValueKind

Found = Iterator[tuple[int, str]]
_LINKS, _PICTURES = {"href"}, {"src"}
_MJML_TEXTS = {"alt", "title", "href", "src", "name", "rel", "target"}
"""Attributes of MJML that become no style."""
_LINK_HINT = (
    "a link is a whole address (https://..., mailto:..., tel:...), one value like {{ leave_url }}, or "
    "mailto:{{ list_address }}"
)
_PICTURE_HINT = (
    "a picture is {{ logo.url }} or {{ site_url }}/media/..., whose path `mailer media add FILE` prints: others would "
    "be loaded from elsewhere"
)
_STYLE_ENDS = re.compile(r"[;{}]")
_GONE = {
    "script": "letters run no programs",
    "iframe": "letters hold no other pages",
    "form": "mail programs show no forms; use a link",
    "link": "letters load nothing; write the style into <style>",
    "svg": "mail programs do not show it; use a picture",
    "mj-include": "a template is one file",
    "mj-font": "letters load no fonts",
    "mj-social": "its pictures would come from elsewhere; use mj-text with links",
    "mj-navbar": "mail programs do not show it well; use mj-text with links",
    "mj-carousel": "its pictures would come from elsewhere",
    "mj-hero": "its picture would be loaded by a style; use mj-image",
}


def tag_problems(tag: Tag, *, is_mjml: bool) -> Found:
    """(line, why) for each mistake of a tag."""
    allowed = ELEMENTS | (MJML_ELEMENTS if is_mjml else frozenset())
    if tag.is_conditional:
        allowed |= OUTLOOK_ELEMENTS
    if tag.name not in allowed:
        why = _GONE.get(tag.name, "mail programs do not show it")
        yield tag.line, f"<{tag.name}> cannot stand in a template: {why}"
        return
    own = is_mjml and tag.name in MJML_ELEMENTS
    names = [one.name for one in tag.attributes]
    for attribute in tag.attributes:
        if names.count(attribute.name) > 1:
            yield attribute.line, f"{attribute.name} stands twice in <{tag.name}>"
        yield from _attribute_problems(tag, attribute, is_own=own)
    if tag.name == "img" and "alt" not in names:
        yield tag.line, 'a picture needs a text for those who do not see it: alt="..." (alt="" for an ornament)'
    if tag.name == "mj-image" and "alt" not in names:
        yield tag.line, 'mj-image needs a text for those who do not see it: alt="..." (alt="" for an ornament)'
    if tag.content is not None:
        yield from _content_problems(tag)


def _attribute_problems(tag: Tag, attribute: Attribute, *, is_own: bool) -> Found:
    name, line = attribute.name, attribute.line
    if why := _attribute_error(tag, attribute, is_own=is_own):
        yield line, why
    elif name in _LINKS:
        yield from _link_problems(attribute)
    elif name in _PICTURES:
        yield from _picture_problems(attribute)
    elif name == "style":
        yield from style_problems(attribute.pieces, line, is_sheet=False)
    elif is_own and name not in _MJML_TEXTS:
        yield from _mjml_style_problems(attribute)


def _attribute_error(tag: Tag, attribute: Attribute, *, is_own: bool) -> str | None:
    name, allowed = attribute.name, MJML_ATTRIBUTES if is_own else ATTRIBUTES
    checks = {
        f"{name} cannot stand in a template: letters run no programs": name.startswith("on"),
        f"the attribute {name} cannot stand in a template's <{tag.name}>": (
            name not in allowed and not name.startswith("aria-")
        ),
        f"< and > cannot stand in {name}; write &lt; and &gt;": any(
            isinstance(one, str) and ("<" in one or ">" in one) for one in attribute.pieces
        ),
        f"body cannot stand in {name}; it is HTML": Inserted(ValueKind.HTML) in attribute.pieces,
        f"body_styles cannot stand in {name}; only <style> can hold it": Inserted(ValueKind.STYLES) in attribute.pieces,
        f"no expression can stand in {name}": name in LITERAL_ATTRIBUTES and attribute.literal is None,
        f"http-equiv={attribute.literal!r} cannot stand in a template": (
            name == "http-equiv" and (attribute.literal or "").lower() not in HTTP_EQUIVALENTS
        ),
    }
    return next((why for why, is_so in checks.items() if is_so), None)


def _mjml_style_problems(attribute: Attribute) -> Found:
    if attribute.literal is None and attribute.name not in MJML_OPEN_ATTRIBUTES:
        yield attribute.line, f"no expression can stand in {attribute.name}: MJML calculates with it"
    if _STYLE_ENDS.search(attribute.literal or ""):
        yield attribute.line, f"; and braces cannot stand in {attribute.name}"
    yield from style_problems(attribute.pieces, attribute.line, is_sheet=False)


def _link_problems(attribute: Attribute) -> Found:
    match attribute.pieces:
        case [Inserted(kind=ValueKind.URL | ValueKind.SITE)] | ["mailto:", Inserted(kind=ValueKind.ADDRESS)]:
            return
        case [str() as literal]:
            try:
                check_link(unescape(literal), attribute.line)
            except CampaignFileRefused as refusal:
                yield attribute.line, refusal.reason
        case _:
            yield attribute.line, _LINK_HINT


def _picture_problems(attribute: Attribute) -> Found:
    match attribute.pieces:
        case [Inserted(kind=ValueKind.PICTURE)]:
            return
        case [Inserted(kind=ValueKind.SITE), str() as literal] if PATH.fullmatch(literal):
            return
    yield attribute.line, _PICTURE_HINT


def _content_problems(tag: Tag) -> Found:
    pieces = tag.content or []
    if tag.name in {"style", "mj-style"}:
        yield from style_problems(pieces, tag.line, is_sheet=True)
        return
    for piece in pieces:
        if isinstance(piece, str) and "<" in piece:
            yield tag.line, f"< cannot stand in <{tag.name}>"
        if isinstance(piece, Inserted) and piece.kind in {ValueKind.HTML, ValueKind.STYLES}:
            yield tag.line, f"{piece.kind} cannot stand in <{tag.name}>"
