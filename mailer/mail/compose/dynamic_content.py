"""A script: a text of a manuscript with conditions, loops or expressions, evaluated for one person at a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType

from jinja2 import Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.meta import find_undeclared_variables

from mailer.errors import CampaignFileRefused, LetterRenderFailed
from mailer.mail.compose.dynamic_content_rules import check_syntax_tree, constants, insert_limits
from mailer.mail.compose.merge_field import clean_text, merge_fields_as_expressions, refuse_missing_fallback
from mailer.mail.compose.sandbox import EVALUATION_KEY, Evaluation, Sandbox

_SANDBOX = Sandbox()
_SOURCE_NAME = "<script>"
_LONGEST_EVALUATED = 100_000
_PARSE_ERRORS = (ValueError, SyntaxError, RecursionError, MemoryError, OverflowError)
"""What reading may meet besides Jinja2's own errors: numbers without end, loops nested too deep."""
_EVALUATION_ERRORS = (
    TemplateError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    LookupError,
    RecursionError,
)
# The sandbox takes the space around a tag away at a line's ends; a plus sign keeps it.
_ONLY_TAGS = re.compile(r"[ \t]*(?:\{%(?:(?!%\}).)*%\}[ \t]*)+")
_BETWEEN_TAGS = re.compile(r"%\}[ \t]+\{%")
_TAG_FIRST = re.compile(r"^([ \t]*)\{%(?![-+])")
_TAG_LAST = re.compile(r"(?<![-+])%\}$")
_LINE_MARK = "\x01{}\x02"
"""Begins each line of a text that is evaluated for the lines' sake; no manuscript holds such characters."""
_LINE_MARKS = re.compile("(?:\x01([0-9]+)\x02)+")
"""Of several that follow one another the last is meant: nothing is left of the lines before it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DynamicText:
    """One text of a manuscript, ready to be evaluated."""

    source: str
    line: int
    """Its first line in the file."""
    names: frozenset[str]
    """The person's values it uses."""
    constants: tuple[str | int | float, ...]
    """What it may compare these with."""
    template: Template

    def evaluate(self, values: Mapping[str, str], evaluation: Evaluation) -> str:
        """The text for a person of these values, with marks for what its expressions gave, put by in `run`.

        LetterUnwritable where it cannot be evaluated for this person, with the line in the file.
        """
        known = {name: clean_text(values.get(name, "")).strip() for name in self.names}
        try:
            text = self.template.render({**known, EVALUATION_KEY: evaluation})
        except _EVALUATION_ERRORS as trouble:
            raise LetterRenderFailed(str(trouble) or type(trouble).__name__, self._error_line(trouble)) from None
        if len(text) > _LONGEST_EVALUATED:
            raise LetterRenderFailed(f"it makes more than {_LONGEST_EVALUATED} characters", self.line)
        return text

    def source_line(self, values: Mapping[str, str], evaluation: Evaluation, result_line: int) -> int:
        """The line in the file that made the line `place` (from 0) of what `evaluate` gives for these values."""
        known = {name: clean_text(values.get(name, "")).strip() for name in self.names}
        lines = (
            _compile(_parse(self.source, self.line), with_lines=True)
            .render({**known, EVALUATION_KEY: evaluation})
            .split("\n")
        )
        for line in reversed(lines[: result_line + 1]):
            if found := _LINE_MARKS.search(line):
                return self.line + int(found[1]) - 1
        return self.line

    def _error_line(self, error: BaseException) -> int:
        traceback, line = error.__traceback__, 1
        while isinstance(traceback, TracebackType):
            if traceback.tb_frame.f_code.co_filename == _SOURCE_NAME:
                line = traceback.tb_lineno
            traceback = traceback.tb_next
        return self.line + line - 1


def parse_dynamic_text(text: str, line: int) -> DynamicText:
    """The script in `text`, whose first line in the file is `line`; ManuscriptRefused for what may not stand in it.

    A text with holes only, or without any, is one too.
    """
    refuse_missing_fallback(text, line)
    source = _normalize_tag_spaces(merge_fields_as_expressions(text))
    tree = _parse(source, line)
    try:
        return DynamicText(
            source=source,
            line=line,
            names=frozenset(find_undeclared_variables(tree)) - {"range"},
            constants=tuple(dict.fromkeys(constants(tree))),
            template=_compile(tree),
        )
    except (TemplateError, *_PARSE_ERRORS) as trouble:
        raise CampaignFileRefused(f"this cannot be read: {trouble}", line) from None


def _normalize_tag_spaces(source: str) -> str:
    """A line of nothing but tags is to leave no line behind; in any other line tags take no space with them."""
    return "\n".join(map(_normalize_line_tag_spaces, source.split("\n")))


def _normalize_line_tag_spaces(line: str) -> str:
    if _ONLY_TAGS.fullmatch(line):
        return _BETWEEN_TAGS.sub("%}{%", line).rstrip()
    return _TAG_LAST.sub("+%}", _TAG_FIRST.sub(r"\1{%+", line))


def _parse(source: str, line: int) -> nodes.Template:
    try:
        tree = _SANDBOX.parse(source)
        check_syntax_tree(tree, line)
    except TemplateSyntaxError as trouble:
        advice = '; a hole looks like {{ name or "there" }}'
        raise CampaignFileRefused(f"{trouble.message}{advice}", line + trouble.lineno - 1) from None
    except _PARSE_ERRORS as trouble:
        raise CampaignFileRefused(f"this cannot be read: {trouble}", line) from None
    return tree


def _compile(tree: nodes.Template, *, with_lines: bool = False) -> Template:
    insert_limits(tree)
    for data in tree.find_all(nodes.TemplateData) if with_lines else ():
        lines = data.data.split("\n")
        data.data = "\n".join(_LINE_MARK.format(data.lineno + n) + line for n, line in enumerate(lines))
    return Template.from_code(_SANDBOX, _SANDBOX.compile(tree, filename=_SOURCE_NAME), _SANDBOX.globals)
