"""What each expression of an organiser's template gives: a small type system, in which nothing can fail or grow.

No filter, operator or function of the subset makes a text longer than its parts together, so that what a template
writes is bounded by its own length and by the letter's values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import nodes

from mailer.mail.templates.template_values import PARTS, VALUES, ValueKind

_SAFE_WORD = re.compile(r"[A-Za-z0-9#%. -]*")
_TEXTS = {ValueKind.TEXT, ValueKind.WORD, ValueKind.ADDRESS, ValueKind.URL, ValueKind.SITE, ValueKind.PICTURE}
_ORDERS = {"gt", "gteq", "lt", "lteq"}
_TESTS = {"defined", "none"}
FILTERS = ("default", "e", "escape", "first", "join", "last", "length", "trim")


class ExpressionRefused(Exception):
    """An expression that no template may hold; the message says why."""


@dataclass(frozen=True, slots=True)
class KnownNames:
    """The names that an expression may use, with what they are."""

    kinds: Mapping[str, ValueKind]
    """Given values, those that `set` made, and what a loop goes over."""
    in_loop: bool = False

    def kind_of(self, node: nodes.Node) -> ValueKind:
        """What the expression gives. Raises ExpressionRefused."""
        match node:
            case nodes.Name(name="loop") if self.in_loop:
                return ValueKind.RECORD
            case nodes.Name(name=name):
                if (kind := self.kinds.get(name)) is None:
                    raise ExpressionRefused(f"there is no value called {name}; there are {', '.join(sorted(VALUES))}")
                return kind
            case nodes.Const(value=value):
                return _constant_kind(value)
            case nodes.Getattr(node=nodes.Name(name=record), attr=part):
                return self._part_kind(record, part)
            case nodes.Filter():
                return self._filter_kind(node)
            case _:
                return self._operation_kind(node)

    def _operation_kind(self, node: nodes.Node) -> ValueKind:
        match node:
            case nodes.Or(left=left, right=right) | nodes.And(left=left, right=right):
                return _common_kind(self.kind_of(left), self.kind_of(right))
            case nodes.CondExpr(expr2=None):
                raise ExpressionRefused('an `if` within {{ }} needs its `else`, as in {{ lead if lead else "" }}')
            case nodes.CondExpr(test=test, expr1=first, expr2=nodes.Expr() as second):
                self.kind_of(test)
                return _common_kind(self.kind_of(first), self.kind_of(second))
            case nodes.Not(node=inner) | nodes.Test(node=inner, name="defined" | "none", args=[]):
                self.kind_of(inner)
                return ValueKind.FLAG
            case nodes.Compare(expr=left, ops=[nodes.Operand(op=operator, expr=right)]):
                return _compared_kind(operator, self.kind_of(left), self.kind_of(right))
        name = type(node).__name__.lower()
        raise ExpressionRefused(
            f"{name} cannot stand in a template: there are values, their parts, filters, comparisons, and, or, not, "
            "and `a if b else c`"
        )

    def _part_kind(self, record: str, part: str) -> ValueKind:
        if (record == "loop" and not self.in_loop) or record not in PARTS:
            raise ExpressionRefused(f"{record}.{part}: only {', '.join(sorted(PARTS))} have parts")
        if (kind := PARTS[record].get(part)) is None:
            raise ExpressionRefused(f"there is no {record}.{part}; there are {', '.join(PARTS[record])}")
        return kind

    def _filter_kind(self, node: nodes.Filter) -> ValueKind:
        if node.node is None or node.name not in (*FILTERS, "safe") or node.kwargs or node.dyn_args or node.dyn_kwargs:
            raise ExpressionRefused(f"there is no filter {node.name} here; there are {', '.join(FILTERS)}")
        given = self.kind_of(node.node)
        arguments = [self.kind_of(argument) for argument in node.args]
        kind = _FILTER_KINDS.get((node.name, given), given if node.name == "default" else None)
        wanted = {"default": (1,), "join": (0, 1)}.get(node.name, (0,))
        if kind is None or len(arguments) not in wanted:
            raise ExpressionRefused(f"the filter {node.name} cannot be used so on {given}")
        if node.name == "join" and not all(isinstance(argument, nodes.Const) for argument in node.args):
            raise ExpressionRefused('join takes a word in quotes, as in tags|join(", ")')
        return _common_kind(kind, *arguments) if node.name == "default" else kind


_FILTER_KINDS: dict[tuple[str, ValueKind], ValueKind] = {
    **{(name, kind): kind for name in ("e", "escape", "trim") for kind in _TEXTS},
    **dict.fromkeys([("first", ValueKind.LIST), ("last", ValueKind.LIST), ("join", ValueKind.LIST)], ValueKind.TEXT),
    **{("length", kind): ValueKind.NUMBER for kind in (ValueKind.LIST, *_TEXTS)},
    ("safe", ValueKind.HTML): ValueKind.HTML,
}
"""What a filter makes of each kind of value that it takes."""


def _constant_kind(value: object) -> ValueKind:
    if isinstance(value, bool) or value is None:
        return ValueKind.FLAG
    if isinstance(value, str):
        return ValueKind.WORD if _SAFE_WORD.fullmatch(value) else ValueKind.TEXT
    return ValueKind.NUMBER


def _common_kind(first: ValueKind, *others: ValueKind) -> ValueKind:
    """What one of several is: of different texts a text, of what cannot be mixed nothing."""
    kinds = {first, *others}
    if len(kinds) == 1:
        return first
    if kinds <= _TEXTS:
        return ValueKind.TEXT
    if kinds & {ValueKind.HTML, ValueKind.STYLES}:
        raise ExpressionRefused("body and body_styles can only stand alone, as {{ body }}")
    return ValueKind.FLAG


def _compared_kind(operator: str, left: ValueKind, right: ValueKind) -> ValueKind:
    if operator in _ORDERS and {left, right} != {ValueKind.NUMBER}:
        raise ExpressionRefused("only numbers, like tags|length, are more or less than others")
    if operator in {"in", "notin"} and not (left in _TEXTS and right in {ValueKind.LIST, *_TEXTS}):
        raise ExpressionRefused("`in` looks for a text in a text or a list")
    return ValueKind.FLAG
