"""Read what Mailman 2.1's `config_list -o` writes: assignments in Python of texts and of lists of texts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

_ASSIGNMENT = re.compile(r"(?P<name>[a-z]\w*) = (?P<value>['\"\[uU].*)")
_TEXT = re.compile(r"""[uU]?(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_MAX_TEXT = 10_000


def parse_config_list(lines: Iterable[str]) -> dict[str, str | list[str]]:
    """The attributes whose values are texts or lists of texts on one line. Others are left out. Nothing is run."""
    attributes: dict[str, str | list[str]] = {}
    for line in lines:
        if match := _ASSIGNMENT.fullmatch(line.rstrip("\r\n ")):
            value = match["value"]
            if value.startswith("["):
                attributes[match["name"]] = [text for one in _TEXT.findall(value) if (text := _unquote(one))]
            elif _TEXT.fullmatch(value):
                attributes[match["name"]] = _unquote(value)
            elif value.startswith('"""'):
                attributes[match["name"]] = value[3:]
    return attributes


def _unquote(text: str) -> str:
    """The text of a literal of Python; "" for a damaged one."""
    try:
        value = ast.literal_eval(text) if len(text) <= _MAX_TEXT else ""
    except (SyntaxError, ValueError):
        return ""
    return value if isinstance(value, str) else ""
