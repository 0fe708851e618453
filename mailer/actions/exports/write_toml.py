"""Writes TOML: what list.toml of an export needs of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

TomlValue = str | bool | int | Sequence[str]
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def write_table(values: Mapping[str, TomlValue | None], heading: str = "") -> str:
    """A table under its heading, as `[segments]`; values that are None are left out."""
    lines = [f"{_key(name)} = {_value(value)}" for name, value in values.items() if value is not None]
    return "".join(f"{line}\n" for line in ([heading] if heading else []) + lines)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _string(name)


def _value(value: TomlValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return _string(value) if isinstance(value, str) else f"[{', '.join(map(_string, value))}]"


def _string(text: str) -> str:
    """A basic string: those of JSON are ones, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
