"""Rules for `{% ... %}` and `{{ ... }}`: which conditions, loops and expressions a campaign file may hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from jinja2 import nodes

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.sandbox import FILTERS, LOOP_ATTRIBUTES, METHODS, TESTS
from mailer.mail.dynamic.local_filters import DATE_STYLES, parse_day, parse_number

_STATEMENTS = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign)
_VALUES = (nodes.Name, nodes.Const, nodes.Tuple, nodes.List, nodes.Getitem, nodes.Slice, nodes.Getattr, nodes.Call)
_OPERATIONS = (nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr)
_ARITHMETIC = (
    nodes.Concat,
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.Div,
    nodes.FloorDiv,
    nodes.Mod,
    nodes.Neg,
    nodes.Pos,
)
_ALLOWED = (*_STATEMENTS, *_VALUES, *_OPERATIONS, *_ARITHMETIC)
_RESERVED = {"loop", "range"}
_MOST_NODES = 5000
"""Nodes in the syntax tree of a text; parsing that many takes a few tenths of a second."""
_CHARACTERS_PER_STEP = 10


def check_syntax_tree(tree: nodes.Template, first_line: int) -> None:
    """Raise CampaignFileRefused, with the line, for anything but text, conditions, loops and safe expressions."""
    for count, (node, parent) in enumerate(_walk(tree, tree)):
        if count > _MOST_NODES:
            raise CampaignFileRefused(
                "there are too many conditions and expressions for a letter; use fewer", first_line
            )
        if why := _node_error(node, parent):
            raise CampaignFileRefused(why, first_line + node.lineno - 1)


def constants(tree: nodes.Template) -> list[str | int | float]:
    """The strings and numbers in the expressions of the tree."""
    return [
        node.value
        for node in tree.find_all(nodes.Const)
        if isinstance(node.value, str | int | float) and not isinstance(node.value, bool)
    ]


def insert_limits(tree: nodes.Template) -> None:
    """Change the tree so that loops and joined texts are counted and limited, and merge fields give merge values."""
    for loop in tree.find_all(nodes.For):
        loop.iter = _apply_filter(loop.iter, "each_", nodes.Const(_loop_cost(loop)))
    _transform_children(tree)


def _walk(node: nodes.Node, parent: nodes.Node) -> Iterator[tuple[nodes.Node, nodes.Node]]:
    yield node, parent
    for child in node.iter_child_nodes():
        yield from _walk(child, node)


def _node_error(node: nodes.Node, parent: nodes.Node) -> str | None:
    if isinstance(node, nodes.Pow):
        return "** cannot stand in a letter"
    if not isinstance(node, _ALLOWED):
        return f"{type(node).__name__.lower()} cannot stand in a letter; there are if, for, set and expressions"
    rule = _RULES.get(type(node))
    return rule(node, parent) if rule else None


def _filter_error(node: nodes.Filter, _parent: nodes.Node) -> str | None:
    if node.node is None or node.name not in FILTERS or _has_extra_arguments(node):
        return f"there is no filter {node.name!r} here; there are {', '.join(sorted(FILTERS))}"
    return _local_filter_error(node)


def _local_filter_error(node: nodes.Filter) -> str | None:
    """What is wrong with a number, a date or a style of date that stands in the text itself."""
    value = node.node.value if isinstance(node.node, nodes.Const) else None
    if node.name == "number" and value is not None and parse_number(value) is None:
        return f"{value!r} is not a number like 1234.5"
    if node.name != "date":
        return None
    if value is not None and parse_day(value) is None:
        return f"{value!r} is not a day like 2026-12-01"
    styles = [one.value if isinstance(one, nodes.Const) else None for one in node.args]
    return None if styles in ([], *([style] for style in DATE_STYLES)) else f"a date is {', '.join(DATE_STYLES)}"


def _test_error(node: nodes.Test, _parent: nodes.Node) -> str | None:
    if node.name not in TESTS or _has_extra_arguments(node):
        return f"there is no test {node.name!r} here; a value that is not known is simply empty"
    return None


def _call_error(node: nodes.Call, _parent: nodes.Node) -> str | None:
    to_range = isinstance(node.node, nodes.Name) and node.node.name == "range"
    if _has_extra_arguments(node) or not (to_range or isinstance(node.node, nodes.Getattr)):
        return "only methods of text and lists, and range, can be called"
    return None


def _attribute_error(node: nodes.Getattr, parent: nodes.Node) -> str | None:
    is_method = isinstance(parent, nodes.Call) and parent.node is node and node.attr in METHODS
    owner = node.node.name if isinstance(node.node, nodes.Name) else None
    if owner == "segment" and isinstance(parent, nodes.Output):
        return f"segment.{node.attr} is a condition: write {{% if segment.{node.attr} %}}"
    is_fact = owner == "segment" or (owner == "loop" and node.attr in LOOP_ATTRIBUTES)
    return None if is_method or is_fact else f".{node.attr} cannot be used here"


def _list_error(node: nodes.List | nodes.Tuple, _parent: nodes.Node) -> str | None:
    is_target = isinstance(node, nodes.Tuple) and node.ctx == "store"
    if not is_target and not all(isinstance(item, nodes.Const) for item in node.items):
        return "a list can only hold words and numbers"
    return None


def _name_error(node: nodes.Name, parent: nodes.Node) -> str | None:
    if node.ctx == "store" and node.name in _RESERVED:
        return f"{node.name} cannot be set"
    is_called = isinstance(parent, nodes.Call) and parent.node is node
    return "range is a function, not a value of a reader" if node.name == "range" and not is_called else None


def _loop_error(node: nodes.For, _parent: nodes.Node) -> str | None:
    return "a loop cannot be recursive" if node.recursive else None


def _text_error(node: nodes.TemplateData, _parent: nodes.Node) -> str | None:
    return next((f"{brace} is not plain text" for brace in ("}}", "%}") if brace in node.data), None)


_RULES: dict[type[nodes.Node], Callable[[Any, nodes.Node], str | None]] = {
    nodes.Filter: _filter_error,
    nodes.Test: _test_error,
    nodes.Call: _call_error,
    nodes.Getattr: _attribute_error,
    nodes.List: _list_error,
    nodes.Tuple: _list_error,
    nodes.Name: _name_error,
    nodes.For: _loop_error,
    nodes.TemplateData: _text_error,
}


def _has_extra_arguments(node: nodes.Filter | nodes.Test | nodes.Call) -> bool:
    return bool(node.kwargs or node.dyn_args or node.dyn_kwargs)


def _loop_cost(loop: nodes.For) -> int:
    """The approximate number of steps of one iteration."""
    characters = sum(len(data.data) for data in loop.find_all(nodes.TemplateData))
    return characters // _CHARACTERS_PER_STEP + sum(1 for _ in loop.find_all(nodes.Node))


def _transform_children(node: nodes.Node) -> None:
    for field, value in node.iter_fields():
        if isinstance(value, nodes.Node):
            setattr(node, field, _transform(value, node))
        elif isinstance(value, list):
            value[:] = [_transform(item, node) if isinstance(item, nodes.Node) else item for item in value]


def _transform(node: nodes.Node, parent: nodes.Node) -> nodes.Node:
    _transform_children(node)
    if isinstance(node, nodes.Concat):
        return _apply_filter(nodes.List(node.nodes, lineno=node.lineno), "joined_")
    if isinstance(parent, nodes.Output):
        match node:
            case nodes.Or(left=nodes.Name() as name, right=nodes.Const(value=str()) as fallback):
                return _apply_filter(name, "merge_", nodes.Const(name.name), fallback)
    return node


def _apply_filter(node: nodes.Node, name: str, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)
