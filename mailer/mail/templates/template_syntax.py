"""The Jinja2 of organisers' templates: which statements there are, and where expressions stand in the HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mailer.errors import CampaignFileRefused, TemplateRefused
from mailer.mail.compose.campaign_text_fields import refuse_control_characters
from mailer.mail.templates.expression_kinds import ExpressionRefused, KnownNames
from mailer.mail.templates.markup_scanner import MarkupScanner, Mode
from mailer.mail.templates.template_values import PARTS, VALUES, ValueKind

MOST_CHARACTERS = 60_000
"""Of a template: its letters must stay below 100 KB."""
_MOST_NODES, _DEEPEST = 4000, 40
_MOST_BODIES = 4
"""How often the body may be written, in different branches."""
_OUTPUT = set(ValueKind) - {ValueKind.FLAG, ValueKind.LIST, ValueKind.RECORD}


def make_environment() -> ImmutableSandboxedEnvironment:
    """The Jinja2 environment of organisers' templates: no globals, few filters, no way to other files."""
    environment = ImmutableSandboxedEnvironment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, optimized=False
    )
    environment.globals = {}
    environment.tests = {name: environment.tests[name] for name in ("defined", "none")}
    own = {name: environment.filters[name] for name in ("e", "escape", "safe", "length", "trim", "join")}
    environment.filters = own | {"default": _default, "first": _first, "last": _last}
    return environment


def _default(value: object, fallback: object) -> object:
    return value or fallback


def _first(items: Sequence[str]) -> str:
    return items[0] if items else ""


def _last(items: Sequence[str]) -> str:
    return items[-1] if items else ""


def parse_template(source: str) -> nodes.Template:
    """The syntax tree. Raises TemplateRefused, with the line, for what cannot be read or is too large."""
    if len(source) > MOST_CHARACTERS:
        raise TemplateRefused(f"{len(source)} characters are too many for a template; the most is {MOST_CHARACTERS}")
    try:
        refuse_control_characters(source)
        tree = make_environment().parse(source)
    except CampaignFileRefused as refusal:
        raise TemplateRefused(refusal.reason, refusal.line) from None
    except TemplateSyntaxError as error:
        raise TemplateRefused(error.message or "this cannot be read", error.lineno) from None
    except RecursionError:
        raise TemplateRefused("its expressions are nested too deeply") from None
    _check_size(tree)
    return tree


def _check_size(tree: nodes.Template) -> None:
    """Raise TemplateRefused for a tree that would take long to walk or compile."""
    level, number = [(0, tree.lineno, tree.iter_child_nodes())], 0
    while level:
        depth, line, children = level[-1]
        child = next(children, None)
        if child is None:
            level.pop()
            continue
        number += 1
        line = child.lineno or line
        if depth > _DEEPEST:
            raise TemplateRefused("statements or expressions are nested too deeply here", line)
        if number > _MOST_NODES:
            raise TemplateRefused("there are too many statements and expressions for a template", line)
        level.append((depth + 1, line, child.iter_child_nodes()))


@dataclass(slots=True)
class TemplateWalk:
    """Goes through a template from top to bottom; its scanner reads the HTML between the expressions."""

    scanner: MarkupScanner
    names: KnownNames = field(default_factory=lambda: KnownNames(VALUES))
    bodies: int = 0
    depth: int = 0
    """Of branches and loops that this is in."""

    def walk(self, tree: nodes.Template) -> None:
        """Note each mistake with `scanner.refuse`."""
        self._statements(tree.body)
        self.scanner.close()
        if self.bodies > _MOST_BODIES:
            self.scanner.refuse(1, f"body and body_styles stand {self.bodies} times in it; the most is {_MOST_BODIES}")

    def _statements(self, statements: Sequence[nodes.Node]) -> None:
        for node in statements:
            match node:
                case nodes.Output():
                    self._output(node)
                case nodes.If():
                    self._branches(node)
                case nodes.For():
                    self._loop(node)
                case nodes.Assign():
                    self._assign(node)
                case _:
                    name = type(node).__name__.lower()
                    line = node.lineno or next((one.lineno for one in node.iter_child_nodes()), 1)
                    self.scanner.refuse(
                        line, f"{name} cannot stand in a template; there are if, for, set and {{{{ values }}}}"
                    )

    def _output(self, node: nodes.Output) -> None:
        for piece in node.nodes:
            if isinstance(piece, nodes.TemplateData):
                self.scanner.feed(piece.data, piece.lineno)
                continue
            kind = self._kind(piece)
            if kind not in _OUTPUT:
                self.scanner.refuse(piece.lineno, f"{kind} cannot be written; write a part of it, or use join")
            elif kind in {ValueKind.HTML, ValueKind.STYLES} and self.names.in_loop:
                self.scanner.refuse(piece.lineno, f"{kind} cannot stand in a loop")
            elif kind is ValueKind.STYLES and self.scanner.mode is not Mode.RAW:
                self.scanner.refuse(piece.lineno, "body_styles can only stand in <style>")
            else:
                self.bodies += kind in {ValueKind.HTML, ValueKind.STYLES}
                self.scanner.insert(kind, piece.lineno)

    def _branches(self, node: nodes.If) -> None:
        self._check_place(node)
        before = self.scanner.state
        for branch in (node, *node.elif_):
            self._kind(branch.test)
            self._branch(branch.body, before, branch.lineno)
        self._branch(node.else_, before, node.lineno)

    def _branch(self, statements: Sequence[nodes.Node], before: tuple[object, ...], line: int) -> None:
        self.depth += 1
        self._statements(statements)
        self.depth -= 1
        if self.scanner.state != before:
            self.scanner.refuse(line, "this branch ends inside a tag or comment that it did not begin in")

    def _loop(self, node: nodes.For) -> None:
        self._check_place(node)
        target = node.target.name if isinstance(node.target, nodes.Name) else ""
        if node.recursive or node.test or self.names.in_loop:
            self.scanner.refuse(node.lineno, "a loop cannot be recursive, have an `if`, or stand in another loop")
            return
        if self._kind(node.iter) is not ValueKind.LIST:
            lists = ", ".join(name for name, kind in VALUES.items() if kind is ValueKind.LIST)
            self.scanner.refuse(node.lineno, f"a loop goes over a list: {lists}")
        if not self._is_free(target, node.lineno):
            return
        before, outside = self.scanner.state, self.names
        self.names = KnownNames(dict(outside.kinds) | {target: ValueKind.TEXT}, in_loop=True)
        self._branch(node.body, before, node.lineno)
        self.names = outside
        self._branch(node.else_, before, node.lineno)

    def _assign(self, node: nodes.Assign) -> None:
        target = node.target.name if isinstance(node.target, nodes.Name) else ""
        kind = self._kind(node.node)
        if kind in {ValueKind.HTML, ValueKind.STYLES}:
            self.scanner.refuse(node.lineno, f"{kind} can only stand alone, as {{{{ body }}}}")
        elif self.depth:
            self.scanner.refuse(node.lineno, 'set cannot stand in if or for; write {% set a = "b" if c else "d" %}')
        elif self._is_free(target, node.lineno):
            self.names = replace(self.names, kinds=dict(self.names.kinds) | {target: kind})

    def _is_free(self, name: str, line: int) -> bool:
        taken: Mapping[str, object] = {**self.names.kinds, **PARTS}
        if not name or name in taken:
            self.scanner.refuse(line, f"{name or 'this'} is taken; give it a name of its own, which is set only once")
            return False
        return True

    def _kind(self, node: nodes.Node) -> ValueKind:
        try:
            return self.names.kind_of(node)
        except ExpressionRefused as refusal:
            self.scanner.refuse(node.lineno, str(refusal))
            return ValueKind.WORD

    def _check_place(self, node: nodes.Node) -> None:
        if self.scanner.mode not in {Mode.CONTENT, Mode.TAG}:
            self.scanner.refuse(
                node.lineno, f"no statement can stand {self.scanner.mode}; write {{{{ a if b else c }}}} there"
            )
