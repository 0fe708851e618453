"""Dynamic content: texts of a campaign file with conditions, loops or expressions, evaluated for each recipient."""

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
from mailer.mail.dynamic.segment_conditions import expand_segments

_SANDBOX = Sandbox()
_SOURCE_NAME = "<campaign file>"
_LONGEST_EVALUATED = 100_000
_PARSE_ERRORS = (ValueError, SyntaxError, RecursionError, MemoryError, OverflowError)
"""What parsing may raise besides Jinja2's own errors: for endless numbers, loops nested too deep."""
_EVALUATION_ERRORS = (
    TemplateError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    LookupError,
    RecursionError,
)
# The sandbox strips white space around a tag at the ends of a line (trim_blocks); a plus sign in the tag keeps it.
_ONLY_TAGS = re.compile(r"[ \t]*(?:\{%(?:(?!%\}).)*%\}[ \t]*)+")
_BETWEEN_TAGS = re.compile(r"%\}[ \t]+\{%")
_TAG_FIRST = re.compile(r"^([ \t]*)\{%(?![-+])")
_TAG_LAST = re.compile(r"(?<![-+])%\}$")
_LINE_MARK = "\x01{}\x02"
"""Put at the start of each line to trace line numbers; no campaign file holds these control characters."""
_LINE_MARKS = re.compile("(?:\x01([0-9]+)\x02)+")
"""Of adjacent marks the last counts: the lines before it left nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DynamicText:
    """One text of a campaign file, compiled for evaluation."""

    source: str
    line: int
    """The line of the file on which it begins."""
    names: frozenset[str]
    """The names of the recipient's values that it uses."""
    constants: tuple[str | int | float, ...]
    """The constants in its expressions, with which it may compare values."""
    template: Template
    segments: Mapping[str, str] | None = None
    """The list's segments by name; None: not known."""

    def evaluate(self, values: Mapping[str, str], evaluation: Evaluation) -> str:
        """The text for a recipient with these values; results of expressions are placeholders, added to `evaluation`.

        Raises LetterRenderFailed, with the line of the file, if it cannot be evaluated for these values.
        """
        known = {name: clean_text(values.get(name, "")).strip() for name in self.names}
        try:
            text = self.template.render({**known, EVALUATION_KEY: evaluation})
        except _EVALUATION_ERRORS as error:
            raise LetterRenderFailed(str(error) or type(error).__name__, self._error_line(error)) from None
        if len(text) > _LONGEST_EVALUATED:
            raise LetterRenderFailed(f"it makes more than {_LONGEST_EVALUATED} characters", self.line)
        return text

    def source_line(self, values: Mapping[str, str], evaluation: Evaluation, result_line: int) -> int:
        """The line of the file that made line `result_line` (from 0) of what `evaluate` returns for these values."""
        known = {name: clean_text(values.get(name, "")).strip() for name in self.names}
        lines = (
            _compile(_parse(self.source, self.line, self.segments), with_lines=True)
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


def parse_dynamic_text(text: str, line: int, segments: Mapping[str, str] | None = None) -> DynamicText:
    """The compiled `text`, which begins on `line` of the file; it may also have merge fields only, or none.

    `segments` are the list's conditions by name; with None any may be named, and nobody is in it. Raises
    CampaignFileRefused, with the line, for anything that is not allowed in it.
    """
    refuse_missing_fallback(text, line)
    source = _normalize_tag_spaces(merge_fields_as_expressions(text))
    tree = _parse(source, line, segments)
    try:
        return DynamicText(
            source=source,
            line=line,
            names=frozenset(find_undeclared_variables(tree)) - {"range"},
            constants=tuple(dict.fromkeys(constants(tree))),
            template=_compile(tree),
            segments=segments,
        )
    except (TemplateError, *_PARSE_ERRORS) as error:
        raise CampaignFileRefused(f"this cannot be read: {error}", line) from None


def _normalize_tag_spaces(source: str) -> str:
    """The source with tags marked so that a line of tags alone leaves no line, and other tags strip no white space."""
    return "\n".join(map(_normalize_line_tag_spaces, source.split("\n")))


def _normalize_line_tag_spaces(line: str) -> str:
    if _ONLY_TAGS.fullmatch(line):
        return _BETWEEN_TAGS.sub("%}{%", line).rstrip()
    return _TAG_LAST.sub("+%}", _TAG_FIRST.sub(r"\1{%+", line))


def _parse(source: str, line: int, segments: Mapping[str, str] | None) -> nodes.Template:
    try:
        tree = _SANDBOX.parse(source)
        check_syntax_tree(tree, line)
        expand_segments(_SANDBOX, tree, segments, line)
    except TemplateSyntaxError as error:
        advice = '; a merge field looks like {{ name or "there" }}'
        raise CampaignFileRefused(f"{error.message}{advice}", line + error.lineno - 1) from None
    except _PARSE_ERRORS as error:
        raise CampaignFileRefused(f"this cannot be read: {error}", line) from None
    return tree


def _compile(tree: nodes.Template, *, with_lines: bool = False) -> Template:
    insert_limits(tree)
    for data in tree.find_all(nodes.TemplateData) if with_lines else ():
        lines = data.data.split("\n")
        data.data = "\n".join(_LINE_MARK.format(data.lineno + n) + line for n, line in enumerate(lines))
    return Template.from_code(_SANDBOX, _SANDBOX.compile(tree, filename=_SOURCE_NAME), _SANDBOX.globals)
