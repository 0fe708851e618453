"""Changes single values of a front matter and leaves every other line, with its comments, as it was written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

YAML_LINE_ENDS = re.compile("[\r\x85\u2028\u2029]")
"""Characters that end a line of YAML and none of a campaign file."""
Value = str | list[str] | dict[str, str]
"""The value of a key; an empty one means that the key is left out."""
_KEPT_EMPTY = "subject"
"""The key that stays when it is empty: every letter has it."""


def edit_front_matter(front_matter: str, changes: Mapping[str, Value]) -> list[str]:
    """The lines of the front matter with these values by key; the lines of all other keys are the same.

    One in braces, `{subject: ...}`, is not changed: see `rewrite_front_matter`.
    """
    lines = front_matter.split("\n") if front_matter else []
    root = yaml.compose(front_matter, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):  # nothing but comments
        return [*lines, *_dump_all(changes)]
    if root.flow_style:
        return lines
    edits = _edit_mapping(lines, root, changes, 0)
    for edit in reversed(sorted(edits, key=lambda one: (one.first, one.end))):
        lines[edit.first : edit.end] = edit.lines
    return lines


def rewrite_front_matter(front_matter: str, values: Mapping[str, Value]) -> list[str]:
    """The lines of a front matter with all these values, one key below the other; keys without a value here stay."""
    root = yaml.compose(front_matter, Loader=yaml.SafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    others = [
        yaml.serialize(yaml.MappingNode("tag:yaml.org,2002:map", [pair], flow_style=False), allow_unicode=True)
        for pair in pairs
        if getattr(pair[0], "value", None) not in values
    ]
    return [*_dump_all(values), *(line for other in others for line in other.rstrip("\n").split("\n"))]


@dataclass(frozen=True, slots=True)
class _Edit:
    first: int
    end: int
    lines: list[str]


def _edit_mapping(lines: list[str], node: yaml.MappingNode, changes: Mapping[str, Value], indent: int) -> list[_Edit]:
    found = {str(key.value): (key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)}
    edits: list[_Edit] = []
    for name, value in changes.items():
        if name not in found:
            if written := _dump(name, value, indent):
                edits.append(_Edit(end := _end_line(node), end, written))
            continue
        key, old = found[name]
        if isinstance(value, dict) and value and isinstance(old, yaml.MappingNode) and not old.flow_style and old.value:
            gone = {str(one.value): "" for one, _ in old.value if isinstance(one, yaml.ScalarNode)}
            current = {str(one.value): _text(of) for one, of in old.value if isinstance(one, yaml.ScalarNode)}
            inner = {part: text for part, text in {**gone, **value}.items() if current.get(part, "") != text}
            edits += _edit_mapping(lines, old, inner, old.value[0][0].start_mark.column)
        else:
            end = _end_line(old)
            edits.append(_Edit(key.start_mark.line, end, _replace(lines, old, end, _dump(name, value, indent), indent)))
    return edits


def _replace(lines: list[str], old: yaml.Node, end: int, written: list[str], indent: int) -> list[str]:
    """The new lines of a key, with the comment that stood behind its old value."""
    mark = _last_leaf(old).end_mark
    behind = lines[mark.line][mark.column :].strip() if mark.line == end - 1 else ""
    if not behind.startswith("#"):
        return written
    return [f"{written[0]}  {behind}"] if len(written) == 1 else [f"{' ' * indent}{behind}", *written]


def _last_leaf(node: yaml.Node) -> yaml.Node:
    """The last node of this one that has a line of its own: a block's own end is where the next key begins."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return _last_leaf(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _last_leaf(node.value[-1])
    return node


def _end_line(node: yaml.Node) -> int:
    """The line after the last one of a node, counted from 0."""
    mark = _last_leaf(node).end_mark
    return mark.line if mark.column == 0 and mark.line > node.start_mark.line else mark.line + 1


def _text(node: yaml.Node) -> str:
    return str(node.value).strip() if isinstance(node, yaml.ScalarNode) else ""


def _dump_all(values: Mapping[str, Value]) -> list[str]:
    return [line for name, value in values.items() for line in _dump(name, value, 0)]


def _dump(name: str, value: Value, indent: int) -> list[str]:
    if not value:
        return [f"{name}:"] if name == _KEPT_EMPTY else []
    written = yaml.dump({name: value}, Dumper=_Dumper, allow_unicode=True, width=10**9, sort_keys=False)
    return [" " * indent + line if line else line for line in written.rstrip("\n").split("\n")]


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and lists on one line."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> Any:
    style = '"' if YAML_LINE_ENDS.search(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _represent_list(dumper: yaml.SafeDumper, items: list[str]) -> Any:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=True)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(list, _represent_list)
