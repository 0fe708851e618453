"""The body of a letter in its items: a second-level heading begins one, and a picture right below it leads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from mailer.mail.markdown.picture import fit_picture

LEADING_WIDTH = 598
"""Pixels: the room for a picture that leads an item, from one edge of its card to the other."""
_PICTURES = (["image"], ["link_open", "image", "link_close"])
_OUTRO = {"footnotes_open", "signature_open"}
"""Blocks that belong to no item, if they follow the last one."""

Render = Callable[[Sequence[Token]], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyItem:
    """One item, as HTML."""

    heading: str
    picture: str
    """Of the picture right below the heading, with its caption; "" where there is none."""
    body: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemizedBody:
    """The body in parts, as HTML; together they hold all of it, each block once."""

    intro: str
    """What stands before the first item."""
    items: tuple[BodyItem, ...]
    outro: str
    """Signature and footnotes behind the last item."""


def split_items(tokens: Sequence[Token], render: Render) -> ItemizedBody:
    """The body in its items; `render` writes tokens as HTML. Without a second-level heading all of it is the intro."""
    blocks = list(_split_blocks(tokens))
    starts = [at for at, block in enumerate(blocks) if block[0].type == "heading_open" and block[0].tag == "h2"]
    if not starts:
        return ItemizedBody(intro=render(tokens), items=(), outro="")
    end = next((at for at in range(starts[-1], len(blocks)) if blocks[at][0].type in _OUTRO), len(blocks))
    bounds = zip(starts, [*starts[1:], end], strict=True)
    return ItemizedBody(
        intro=_render(blocks[: starts[0]], render),
        items=tuple(_make_item(blocks[start:stop], render) for start, stop in bounds),
        outro=_render(blocks[end:], render),
    )


def _make_item(blocks: list[Sequence[Token]], render: Render) -> BodyItem:
    heading, *rest = blocks
    picture = rest.pop(0) if rest and _is_picture(rest[0]) else []
    return BodyItem(
        heading=render(heading), picture=render(_widen(picture)) if picture else "", body=_render(rest, render)
    )


def _render(blocks: list[Sequence[Token]], render: Render) -> str:
    return render([token for block in blocks for token in block]) if blocks else ""


def _is_picture(block: Sequence[Token]) -> bool:
    return len(block) == 3 and [child.type for child in block[1].children or ()] in _PICTURES


def _widen(block: Sequence[Token]) -> list[Token]:
    """The block with its picture as wide as its card; the tokens of the body stay as they are."""
    opening, inline, closing = block
    children = [child.copy(attrs=dict(child.attrs)) for child in inline.children or ()]
    for child in children:
        if child.type == "image":
            fit_picture(child, LEADING_WIDTH)
    return [opening, inline.copy(children=children), closing]


def _split_blocks(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """The outermost blocks: each token with all that it encloses."""
    depth, begin = 0, 0
    for at, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            yield tokens[begin : at + 1]
            begin = at + 1
