"""A script: a text of a manuscript with conditions, loops or expressions, evaluated for one person at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType

from jinja2 import Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables

from mailer.errors import LetterUnwritable, ManuscriptRefused
from mailer.mail.compose.dynamic_content_rules import bound, check, constants
from mailer.mail.compose.merge_field import as_expressions, clean, refuse_lone
from mailer.mail.compose.sandbox import RUN, Run, Sandbox

_SANDBOX = Sandbox()
_FILE = "<script>"
_LONGEST_EVALUATED = 100_000
_UNREADABLE = (ValueError, SyntaxError, RecursionError, MemoryError, OverflowError)
"""What reading may meet besides Jinja2's own errors: numbers without end, loops nested too deep."""
_FAILURES = (TemplateError, TypeError, ValueError, AttributeError, ArithmeticError, LookupError, RecursionError)
# The sandbox takes the space around a tag away at a line's ends; a plus sign keeps it.
_TAGS_ALONE = re.compile(r"[ \t]*(?:\{%(?:(?!%\}).)*%\}[ \t]*)+")
_BETWEEN_TAGS = re.compile(r"%\}[ \t]+\{%")
_TAG_FIRST = re.compile(r"^([ \t]*)\{%(?![-+])")
_TAG_LAST = re.compile(r"(?<![-+])%\}$")
_LINE_MARK = "\x01{}\x02"
"""Begins each line of a text that is evaluated for the lines' sake; no manuscript holds such characters."""
_LINE_MARKS = re.compile("(?:\x01([0-9]+)\x02)+")
"""Of several that follow one another the last is meant: nothing is left of the lines before it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """One text of a manuscript, ready to be evaluated."""

    source: str
    line: int
    """Its first line in the file."""
    names: frozenset[str]
    """The person's values it uses."""
    constants: tuple[str | int | float, ...]
    """What it may compare these with."""
    template: Template

    def evaluate(self, values: Mapping[str, str], run: Run) -> str:
        """The text for a person of these values, with marks for what its expressions gave, put by in `run`.

        LetterUnwritable where it cannot be evaluated for this person, with the line in the file.
        """
        known = {name: clean(values.get(name, "")).strip() for name in self.names}
        try:
            text = self.template.render({**known, RUN: run})
        except _FAILURES as trouble:
            raise LetterUnwritable(str(trouble) or type(trouble).__name__, self._line_of(trouble)) from None
        if len(text) > _LONGEST_EVALUATED:
            raise LetterUnwritable(f"it makes more than {_LONGEST_EVALUATED} characters", self.line)
        return text

    def line_of_result(self, values: Mapping[str, str], run: Run, place: int) -> int:
        """The line in the file that made the line `place` (from 0) of what `evaluate` gives for these values."""
        known = {name: clean(values.get(name, "")).strip() for name in self.names}
        lines = _compiled(_parsed(self.source, self.line), with_lines=True).render({**known, RUN: run}).split("\n")
        for line in reversed(lines[: place + 1]):
            if found := _LINE_MARKS.search(line):
                return self.line + int(found[1]) - 1
        return self.line

    def _line_of(self, trouble: BaseException) -> int:
        at, line = trouble.__traceback__, 1
        while isinstance(at, TracebackType):
            if at.tb_frame.f_code.co_filename == _FILE:
                line = at.tb_lineno
            at = at.tb_next
        return self.line + line - 1


def read_script(text: str, line: int) -> Script:
    """The script in `text`, whose first line in the file is `line`; ManuscriptRefused for what may not stand in it.

    A text with holes only, or without any, is one too.
    """
    refuse_lone(text, line)
    source = _laid_out(as_expressions(text))
    tree = _parsed(source, line)
    try:
        return Script(
            source=source,
            line=line,
            names=frozenset(find_undeclared_variables(tree)) - {"range"},
            constants=tuple(dict.fromkeys(constants(tree))),
            template=_compiled(tree),
        )
    except (TemplateError, *_UNREADABLE) as trouble:
        raise ManuscriptRefused(f"this cannot be read: {trouble}", line) from None


def _laid_out(source: str) -> str:
    """A line of nothing but tags is to leave no line behind; in any other line tags take no space with them."""
    return "\n".join(map(_laid_out_line, source.split("\n")))


def _laid_out_line(line: str) -> str:
    if _TAGS_ALONE.fullmatch(line):
        return _BETWEEN_TAGS.sub("%}{%", line).rstrip()
    return _TAG_LAST.sub("+%}", _TAG_FIRST.sub(r"\1{%+", line))


def _parsed(source: str, line: int) -> nodes.Template:
    try:
        tree = _SANDBOX.parse(source)
        check(tree, line)
    except TemplateSyntaxError as trouble:
        advice = '; a hole looks like {{ name or "there" }}'
        raise ManuscriptRefused(f"{trouble.message}{advice}", line + trouble.lineno - 1) from None
    except _UNREADABLE as trouble:
        raise ManuscriptRefused(f"this cannot be read: {trouble}", line) from None
    return tree


def _compiled(tree: nodes.Template, *, with_lines: bool = False) -> Template:
    bound(tree)
    for data in tree.find_all(nodes.TemplateData) if with_lines else ():
        lines = data.data.split("\n")
        data.data = "\n".join(_LINE_MARK.format(data.lineno + n) + line for n, line in enumerate(lines))
    return Template.from_code(_SANDBOX, _SANDBOX.compile(tree, filename=_FILE), _SANDBOX.globals)
