"""The plain text of Markdown: what people read whose programs show no HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from mailer.mail.compose.line_breaking import split_at_break_points
from mailer.mail.compose.merge_field import merged_display_width

WIDTH = 72
_WORD = re.compile(r"[^ \t]+")


def render_plain_text(tokens: Sequence[Token]) -> str:
    """The tokens as text in lines of at most 72 columns; a link, code or a long word is never broken."""
    return "\n".join(_render_blocks(SyntaxTreeNode(tokens).children, WIDTH))


def wrap(text: str, width: int = WIDTH) -> str:
    """`text` wrapped, its own line ends kept."""
    return "\n".join(_wrap_lines(text, width))


def underline(text: str, stroke: str) -> str:
    """A heading: wrapped, and underlined as wide as its longest line."""
    if not text:
        return ""
    lines = _wrap_lines(text, WIDTH)
    return "\n".join((*lines, stroke * min(max(map(merged_display_width, lines)), WIDTH)))


def _wrap_lines(text: str, width: int) -> list[str]:
    return [piece for line in text.split("\n") for piece in _wrap_line(line, max(width, 20))]


def _wrap_line(line: str, width: int) -> Iterator[str]:
    current = ""
    for space, piece in _split_unbreakable(line):
        if current and merged_display_width(current) + len(space) + merged_display_width(piece) > width:
            yield current
            current = piece
        else:
            current += space + piece if current else piece
    yield current


def _split_unbreakable(line: str) -> Iterator[tuple[str, str]]:
    """What must stay on one line, each with what parts it from the one before: a space or nothing."""
    # Of white space, at spaces and tabs only: a no-break space holds.
    for word in _WORD.findall(line):
        space = " "
        for piece in split_at_break_points(word):
            yield space, piece
            space = ""


def _render_blocks(nodes: Sequence[SyntaxTreeNode], width: int) -> list[str]:
    """The lines of block nodes, with an empty one between two of them."""
    lines: list[str] = []
    for node in nodes:
        if lines:
            lines.append("")
        lines += _render_block(node, width)
    return lines


def _render_block(node: SyntaxTreeNode, width: int) -> list[str]:
    match node.type:
        case "heading":
            return underline(_render_inline(node.children), "-").split("\n")
        case "bullet_list" | "ordered_list":
            return _render_list(node, width)
        case "blockquote":
            return [f"> {line}".rstrip() for line in _render_blocks(node.children, width - 2)]
        case "fence" | "code_block":
            return [f"    {line}".rstrip() for line in node.content.rstrip("\n").split("\n")]
        case "hr":
            return ["* * *"]
        case "table":
            return [_render_row(row) for part in node.children for row in part.children]
        case _:
            return _wrap_lines(_render_inline(node.children), width)


def _render_list(node: SyntaxTreeNode, width: int) -> list[str]:
    number = int(node.attrs.get("start", 1))
    loose = any(child.type == "paragraph" and not child.hidden for item in node.children for child in item.children)
    lines: list[str] = []
    for place, item in enumerate(node.children):
        marker = "- " if node.type == "bullet_list" else f"{number + place}. "
        first, *rest = _render_item(item, width - len(marker)) or [""]
        if lines and loose:
            lines.append("")
        lines += [f"{marker}{first}", *(" " * len(marker) + line if line else "" for line in rest)]
    return lines


def _render_item(item: SyntaxTreeNode, width: int) -> list[str]:
    """An item's lines; a list inside a tight item follows its words at once."""
    if any(child.type == "paragraph" and not child.hidden for child in item.children):
        return _render_blocks(item.children, width)
    return [line for child in item.children for line in _render_block(child, width)]


def _render_row(row: SyntaxTreeNode) -> str:
    return " | ".join(_render_inline(cell.children) for cell in row.children)


def _render_inline(nodes: Sequence[SyntaxTreeNode]) -> str:
    return "".join(_render_inline_node(node) for node in nodes)


def _render_inline_node(node: SyntaxTreeNode) -> str:
    match node.type:
        case "text" | "code_inline":
            return node.content
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "link":
            return _render_link(node)
        case _:
            return _render_inline(node.children)


def _render_link(node: SyntaxTreeNode) -> str:
    words, url = _render_inline(node.children).strip(), str(node.attrs["href"])
    address = url.removeprefix("mailto:").removeprefix("tel:")
    if node.info == "auto" or words in {"", url, address}:
        return address
    return f"{words} <{url}>"
