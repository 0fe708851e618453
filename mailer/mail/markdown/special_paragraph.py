"""Paragraphs that are more than words: a button, and a picture with its caption."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from mailer.errors import CampaignFileRefused
from mailer.mail.markdown.inline_places import inline_places

_BUTTON = "{.button}"
_CLASS = re.compile(r"[ \t]*(\{\.[\w.-]+\})")


def mark_buttons(tokens: Sequence[Token], first_line: int) -> list[CampaignFileRefused]:
    """Make a button of each paragraph that is one link followed by `{.button}`.

    Returns a fault for each `{.button}` that stands elsewhere, each button without words, and each other class.
    """
    faults: list[CampaignFileRefused] = []
    for opening, inline, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opening.type != "paragraph_open" or inline.type != "inline" or not _is_button(inline.children or []):
            continue
        opening.type, inline.children, closing.type = "button_open", (inline.children or [])[:-1], "button_close"
        if not _has_words(inline.children):
            line = first_line + (inline.map[0] if inline.map else 0)
            faults.append(CampaignFileRefused("the button has no words: write [Come](https://...){.button}", line))
    return [*faults, *_stray_classes(tokens, first_line)]


def mark_figures(tokens: Sequence[Token]) -> None:
    """Make a figure of each paragraph that is one picture with a title, in a link or not: the title is the caption."""
    for opening, inline, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opening.type != "paragraph_open" or inline.type != "inline":
            continue
        types = [child.type for child in inline.children or ()]
        if types not in (["image"], ["link_open", "image", "link_close"]):
            continue
        picture = next(child for child in inline.children or () if child.type == "image")
        if caption := str(picture.attrs.pop("title", "")).strip():
            opening.type, closing.type = "figure_open", "figure_close"
            opening.meta["caption"] = closing.meta["caption"] = caption


def _is_button(children: Sequence[Token]) -> bool:
    """Whether these are one link and, last, the mark of a button."""
    if len(children) < 3 or children[0].type != "link_open" or children[-2].type != "link_close":
        return False
    links = sum(child.type == "link_open" for child in children)
    return links == 1 and children[-1].type == "text" and children[-1].content.strip() == _BUTTON


def _has_words(children: Sequence[Token]) -> bool:
    return any(child.content.strip() for child in children if child.type != "html_inline")


def _stray_classes(tokens: Sequence[Token], first_line: int) -> Iterator[CampaignFileRefused]:
    after_link = False
    for child, line in inline_places(tokens, first_line):
        if child.type == "text" and _BUTTON in child.content:
            yield CampaignFileRefused(
                f"{_BUTTON} belongs behind a link that is a paragraph of its own, with an empty line before and after",
                line,
            )
        elif child.type == "text" and after_link and (match := _CLASS.match(child.content)):
            yield CampaignFileRefused(f"there is no {match[1]} for links; there is {_BUTTON}", line)
        after_link = child.type == "link_close"
