"""Plain text from Markdown tokens, for readers whose mail program shows no HTML; merge fields are placeholders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from mailer.domain.letters.media import PATH
from mailer.mail.compose.merge_field import merged_display_width
from mailer.mail.markdown import line_breaking
from mailer.mail.markdown.line_breaking import WIDTH
from mailer.mail.markdown.plain_text_table import render_table

wrap = partial(line_breaking.wrap, columns=merged_display_width)
underline = partial(line_breaking.underline, columns=merged_display_width)
"""As in `line_breaking`; a placeholder counts as wide as a usual value."""


def render_plain_text(tokens: Sequence[Token], media_url: Callable[[str], str] = str) -> str:
    """The tokens as text in lines of at most 72 columns; a link, code or a long word is never broken.

    `media_url` makes of the path of a file of this service what stands in the letter.
    """
    text = "\n".join(_render_blocks(SyntaxTreeNode(tokens).children, WIDTH))
    return PATH.sub(lambda match: media_url(match[0]), text)


def _render_blocks(nodes: Sequence[SyntaxTreeNode], width: int) -> list[str]:
    """The lines of the blocks, with an empty line between two blocks."""
    lines: list[str] = []
    for node in nodes:
        block = _render_block(node, width)
        if not any(block):
            continue  # an ornament
        if lines:
            lines.append("")
        lines += block
    return lines


def _render_block(node: SyntaxTreeNode, width: int) -> list[str]:
    render = _BLOCKS.get(node.type)
    return render(node, width) if render else wrap(_render_inline(node.children), width).split("\n")


def _render_heading(node: SyntaxTreeNode, width: int) -> list[str]:
    return underline(_render_inline(node.children), "-", width=width).split("\n")


def _render_bar(bar: str, node: SyntaxTreeNode, width: int) -> list[str]:
    return [f"{bar} {line}".rstrip() for line in _render_blocks(node.children, width - 2)]


def _render_code(node: SyntaxTreeNode, _width: int) -> list[str]:
    return [f"    {line}".rstrip() for line in node.content.rstrip("\n").split("\n")]


def _render_figure(node: SyntaxTreeNode, width: int) -> list[str]:
    lines = f"{_render_inline(node.children)}\n{node.meta['caption']}".strip()
    return wrap(lines, width).split("\n")


def _render_footnote(node: SyntaxTreeNode, width: int) -> list[str]:
    marker = f"[{node.meta['number']}] "
    return _hang(marker, _render_blocks(node.children, width - len(marker)))


def _render_rows(node: SyntaxTreeNode, width: int) -> list[str]:
    rows = [row for part in node.children for row in part.children]
    return render_table([[_render_inline(cell.children) for cell in row.children] for row in rows], width)


def _render_list(node: SyntaxTreeNode, width: int) -> list[str]:
    number = int(node.attrs.get("start", 1))
    loose = any(child.type == "paragraph" and not child.hidden for item in node.children for child in item.children)
    lines: list[str] = []
    for place, item in enumerate(node.children):
        marker = "- " if node.type == "bullet_list" else f"{number + place}. "
        if lines and loose:
            lines.append("")
        lines += _hang(marker, _render_item(item, width - len(marker)))
    return lines


def _hang(marker: str, lines: Sequence[str]) -> list[str]:
    """The lines, the first behind the marker and the others below it."""
    first, *rest = lines or [""]
    return [f"{marker}{first}", *(" " * len(marker) + line if line else "" for line in rest)]


def _render_item(item: SyntaxTreeNode, width: int) -> list[str]:
    """The lines of a list item; in a tight item an inner list follows without an empty line."""
    if any(child.type == "paragraph" and not child.hidden for child in item.children):
        return _render_blocks(item.children, width)
    return [line for child in item.children for line in _render_block(child, width)]


def _render_button(node: SyntaxTreeNode, width: int) -> list[str]:
    link = node.children[0].children[0]
    return [*wrap(f"{_render_inline(link.children).strip()}:", width).split("\n"), _address(link)]


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
        case "image":
            description = _render_inline(node.children)
            return f"[{description}]" if description else ""
        case "footnote_ref":
            return f"[{node.meta['number']}]"
        case _:
            return _render_inline(node.children)


def _render_link(node: SyntaxTreeNode) -> str:
    text, url = _render_inline(node.children).strip(), str(node.attrs["href"])
    address = _address(node)
    if node.info == "auto" or text in {"", url, address}:
        return address
    return f"{text} <{url}>"


def _address(link: SyntaxTreeNode) -> str:
    return str(link.attrs["href"]).removeprefix("mailto:").removeprefix("tel:")


_BLOCKS: dict[str, Callable[[SyntaxTreeNode, int], list[str]]] = {
    "heading": _render_heading,
    "bullet_list": _render_list,
    "ordered_list": _render_list,
    "blockquote": partial(_render_bar, ">"),
    "callout": partial(_render_bar, "|"),
    **dict.fromkeys(
        ("columns", "column", "signature", "footnotes"), lambda node, width: _render_blocks(node.children, width)
    ),
    "footnote": _render_footnote,
    "button": _render_button,
    "figure": _render_figure,
    "fence": _render_code,
    "code_block": _render_code,
    "hr": lambda _node, _width: ["* * *"],
    "table": _render_rows,
}
