"""Fenced blocks of Markdown: `::: callout`, closed by `:::`; their nesting is checked, with lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from mailer.errors import CampaignFileRefused

BLOCK_NAMES = ("callout", "columns", "column", "signature")
MOST_COLUMNS = 3
_MOST_DEPTH = 20
"""Levels of blocks, lists and quotes within each other; the parser's own limit must be above it."""
_FENCE = re.compile(r":{3,}[ \t]*(.*?)[ \t]*")
_OPEN, _CLOSE = "fenced_block_open", "fenced_block_close"
_UNCLOSED = "fenced blocks without end"


def add_fenced_blocks(markdown: MarkdownIt) -> None:
    """Have `markdown` read each fence as a token of its own; `name_blocks` makes blocks of them."""
    markdown.block.ruler.before("fence", "fenced_block", _read_fence, {"alt": ["paragraph", "reference", "blockquote"]})


def name_blocks(tokens: Sequence[Token], first_line: int) -> list[CampaignFileRefused]:
    """Give the tokens of fenced blocks their types, as `callout_open` and `callout_close`.

    Returns what is wrong with blocks: names that are not known, fences without their other half, columns in the wrong
    place, too many levels. If there is anything, the tokens are of no use but for their lines.
    """
    faults = [*_pair_fences(tokens, first_line)]
    return faults or [*_check_columns(tokens, first_line)]


def _read_fence(state: StateBlock, start_line: int, _end_line: int, silent: bool) -> bool:
    line = state.src[state.bMarks[start_line] + state.tShift[start_line] : state.eMarks[start_line]]
    match = _FENCE.fullmatch(line)
    if not match or state.is_code_block(start_line):
        return False
    if silent:
        return True
    unclosed = state.env.get(_UNCLOSED, 0) + (1 if match[1] else -1)
    token = state.push(_OPEN if match[1] else _CLOSE, "div", 1 if match[1] else -1)
    token.info, token.block, token.map = match[1], True, [start_line, start_line + 1]
    if unclosed < 0:
        # The parser limits levels by counting them; a fence that closes nothing must not raise that limit.
        state.level += 1
    state.env[_UNCLOSED] = max(unclosed, 0)
    state.line = start_line + 1
    return True


def _pair_fences(tokens: Sequence[Token], first_line: int) -> Iterator[CampaignFileRefused]:
    stack: list[Token] = []
    for token in tokens:
        line = _line(token, first_line)
        if token.nesting == 1:
            stack.append(token)
            yield from _opening_faults(token, len(stack), line)
        elif token.type == _CLOSE and (not stack or stack[-1].type != _OPEN):
            yield CampaignFileRefused("this ::: closes nothing that was opened here", line)
        elif token.type == _CLOSE:
            opening = stack.pop()
            opening.type, token.type = f"{opening.info}_open", f"{opening.info}_close"
        elif token.nesting == -1:
            while stack and stack[-1].type == _OPEN:
                yield _never_closed(stack.pop(), first_line)
            stack.pop()
    yield from (_never_closed(token, first_line) for token in stack if token.type == _OPEN)


def _opening_faults(token: Token, depth: int, line: int) -> Iterator[CampaignFileRefused]:
    if token.type == _OPEN and token.info not in BLOCK_NAMES:
        known = ", ".join(BLOCK_NAMES)
        yield CampaignFileRefused(f"there is no block called {token.info!r}; there are {known}", line)
    if depth == _MOST_DEPTH:
        what = f"more than {_MOST_DEPTH - 1} levels of lists, quotes and blocks"
        yield CampaignFileRefused(f"{what} are too many for a letter", line)


def _check_columns(tokens: Sequence[Token], first_line: int) -> Iterator[CampaignFileRefused]:
    stack: list[Token] = []
    for token in tokens:
        if token.nesting >= 0:
            reason = _misplaced(token, stack)
            yield from [CampaignFileRefused(reason, _line(token, first_line))] if reason else []
        if token.type == "column_open" and stack:
            stack[-1].meta.setdefault("columns", []).append(token)
        if token.nesting == 1:
            stack.append(token)
        elif token.nesting == -1 and (closed := stack.pop()).type == "columns_open":
            yield from _count_columns(closed, first_line)


def _misplaced(token: Token, stack: Sequence[Token]) -> str | None:
    """Why a token cannot stand in these blocks."""
    in_columns = bool(stack) and stack[-1].type == "columns_open"
    if token.type == "column_open":
        return None if in_columns else "::: column can only stand in ::: columns"
    if in_columns:
        return "only ::: column can stand in ::: columns"
    if token.type == "columns_open" and any(one.type == "columns_open" for one in stack):
        return "::: columns cannot stand in a column"
    return None


def _count_columns(block: Token, first_line: int) -> Iterator[CampaignFileRefused]:
    columns = block.meta.get("columns", [])
    if not 2 <= len(columns) <= MOST_COLUMNS:
        reason = f"::: columns holds {len(columns)} ::: column; it takes two or three"
        yield CampaignFileRefused(reason, _line(block, first_line))
    for one in columns:
        one.meta["of"] = len(columns)


def _never_closed(token: Token, first_line: int) -> CampaignFileRefused:
    return CampaignFileRefused(
        f"::: {token.info} is never closed: write ::: on a line of its own below it", _line(token, first_line)
    )


def _line(token: Token, first_line: int) -> int:
    return first_line + (token.map[0] if token.map else 0)
