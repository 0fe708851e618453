"""Plain text from Markdown tokens, for readers whose mail program shows no HTML; merge fields are placeholders."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from mailer.mail.compose.merge_field import merged_display_width
from mailer.mail.markdown import line_breaking
from mailer.mail.markdown.line_breaking import WIDTH

wrap = partial(line_breaking.wrap, columns=merged_display_width)
underline = partial(line_breaking.underline, columns=merged_display_width)
"""As in `line_breaking`; a placeholder counts as wide as a usual value."""


def render_plain_text(tokens: Sequence[Token]) -> str:
    """The tokens as text in lines of at most 72 columns; a link, code or a long word is never broken."""
    return "\n".join(_render_blocks(SyntaxTreeNode(tokens).children, WIDTH))


def _render_blocks(nodes: Sequence[SyntaxTreeNode], width: int) -> list[str]:
    """The lines of the blocks, with an empty line between two blocks."""
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
            return wrap(_render_inline(node.children), width).split("\n")


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
    """The lines of a list item; in a tight item an inner list follows without an empty line."""
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
    text, url = _render_inline(node.children).strip(), str(node.attrs["href"])
    address = url.removeprefix("mailto:").removeprefix("tel:")
    if node.info == "auto" or text in {"", url, address}:
        return address
    return f"{text} <{url}>"
