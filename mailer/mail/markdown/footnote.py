"""Footnotes of Markdown: `[^1]` in the text, `[^1]: ...` anywhere; checked, numbered and moved to the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from mailer.errors import CampaignFileRefused
from mailer.mail.markdown.inline_places import inline_places

_OPEN, _CLOSE = "footnote_reference_open", "footnote_reference_close"


def add_footnotes(markdown: MarkdownIt) -> None:
    """Have `markdown` read footnotes; `move_footnotes` puts their texts at the end."""
    footnote_plugin(markdown, inline=False, move_to_end=False, always_match_refs=True)


def check_footnotes(tokens: Sequence[Token], first_line: int) -> Iterator[CampaignFileRefused]:
    """Footnotes that nothing names, that are named but not there, that are there twice, or in another footnote."""
    named: dict[str, int] = {}
    for child, line in inline_places(tokens, first_line):
        if child.type == "footnote_ref":
            named.setdefault(child.meta["label"], line)
    defined: set[str] = set()
    depth = 0
    for token in tokens:
        depth += (token.type == _OPEN) - (token.type == _CLOSE)
        if token.type == _OPEN:
            label = token.meta["label"]
            if reason := _wrong(label, label in named, label in defined, depth):
                yield CampaignFileRefused(reason, first_line + (token.map[0] if token.map else 0))
            defined.add(label)
    for label, line in named.items():
        if label not in defined:
            yield CampaignFileRefused(f"the footnote [^{label}] has no text: add a line [^{label}]: ...", line)


def _wrong(label: str, is_named: bool, is_defined: bool, depth: int) -> str | None:
    if is_defined:
        return f"the footnote [^{label}] is there a second time"
    if depth > 1:
        return f"the footnote [^{label}] stands in another one"
    return None if is_named else f"no text names the footnote [^{label}]: write [^{label}] where it belongs"


def move_footnotes(tokens: Sequence[Token]) -> list[Token]:
    """The tokens with the texts of footnotes in a block at the end, in the order of their numbers."""
    numbers: dict[str, int] = {}
    for child, _ in inline_places(tokens, 0):
        if child.type == "footnote_ref":
            child.meta["number"] = numbers.setdefault(child.meta["label"], len(numbers) + 1)
    text: list[Token] = []
    notes: dict[int, list[Token]] = {}
    target = text
    for token in tokens:
        if token.type == _OPEN:
            number = numbers[token.meta["label"]]
            target = notes[number] = [Token("footnote_open", "li", 1, meta={"number": number})]
        elif token.type == _CLOSE:
            target.append(Token("footnote_close", "li", -1))
            target = text
        else:
            target.append(token)
    if not notes:
        return text
    moved = [token for number in sorted(notes) for token in notes[number]]
    return [*text, Token("footnotes_open", "div", 1), *moved, Token("footnotes_close", "div", -1)]
