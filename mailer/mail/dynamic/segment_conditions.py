"""Segments in letters: `segment.izmir` stands for the list's condition of that name, and is replaced by it."""

from __future__ import annotations

from collections.abc import Mapping

from jinja2 import Environment, TemplateSyntaxError, nodes

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.dynamic_content_rules import check_syntax_tree

SEGMENT = "segment"
"""The name behind which the names of segments stand, with a point between them."""


def parse_condition(environment: Environment, condition: str) -> nodes.Expr:
    """The syntax tree of a condition on a reader, such as `city == "Izmir"`. Raises CampaignFileRefused."""
    try:
        tree = environment.parse(f"{{% if {condition} %}}{{% endif %}}")
    except TemplateSyntaxError as error:
        raise CampaignFileRefused(f"{condition!r} is no condition: {error.message}") from None
    except (ValueError, SyntaxError, RecursionError, MemoryError, OverflowError) as error:
        raise CampaignFileRefused(f"{condition!r} is no condition: {error}") from None
    match tree.body:
        # A condition could end the tag that it is put into.
        case [nodes.If(body=[], elif_=[], else_=[], test=nodes.Expr() as test)]:
            check_syntax_tree(tree, 1)
        case _:
            raise CampaignFileRefused(f"{condition!r} is no condition: it holds more than one expression")
    if any(_is_segment(one) for one in tree.find_all(nodes.Getattr)):
        raise CampaignFileRefused(f"{condition!r} names a segment; write that one's own condition")
    return test


def expand_segments(
    environment: Environment, tree: nodes.Template, segments: Mapping[str, str] | None, first_line: int
) -> None:
    """Put the conditions of segments in place of `segment.NAME`.

    With None any name is taken for a segment that nobody is in. Raises CampaignFileRefused, with the line, for a name
    that is not in `segments`.
    """
    if any(_is_segment(one) for one in tree.find_all(nodes.Getattr)):
        _expand_children(environment, tree, segments, first_line)
        check_syntax_tree(tree, first_line)


def _is_segment(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == SEGMENT


def _expand_children(
    environment: Environment, node: nodes.Node, segments: Mapping[str, str] | None, first_line: int
) -> None:
    def expand(child: nodes.Node) -> nodes.Node:
        if isinstance(child, nodes.Getattr) and _is_segment(child):
            return _condition_of(environment, child, segments, first_line + child.lineno - 1)
        _expand_children(environment, child, segments, first_line)
        return child

    for field, value in node.iter_fields():
        if isinstance(value, nodes.Node):
            setattr(node, field, expand(value))
        elif isinstance(value, list):
            value[:] = [expand(item) if isinstance(item, nodes.Node) else item for item in value]


def _condition_of(
    environment: Environment, place: nodes.Getattr, segments: Mapping[str, str] | None, line: int
) -> nodes.Expr:
    if segments is None:
        return nodes.Const(False, lineno=place.lineno)
    if place.attr not in segments:
        known = ", ".join(sorted(segments))
        rest = f"it has {known}" if known else "it has none; `mailer list set LIST --segment NAME=CONDITION` makes one"
        raise CampaignFileRefused(f"the list has no segment {place.attr!r}: {rest}", line)
    condition = parse_condition(environment, segments[place.attr])
    for one in [condition, *condition.find_all(nodes.Node)]:
        one.lineno = place.lineno
    return condition
