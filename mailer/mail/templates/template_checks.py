"""All mistakes of a template that show without rendering it, with their lines."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailer.errors import TemplateRefused
from mailer.mail.compose.problem import Problem, ProblemSeverity, Rule
from mailer.mail.templates.markup_names import MJML_CONTAINERS, MJML_ELEMENTS, VOID_ELEMENTS
from mailer.mail.templates.markup_rules import tag_problems
from mailer.mail.templates.markup_scanner import MarkupScanner
from mailer.mail.templates.markup_tags import Inserted, Tag
from mailer.mail.templates.stylesheet_rules import MOST_STYLES
from mailer.mail.templates.template_syntax import TemplateWalk, parse_template

_MOST_PROBLEMS = 50


def template_problem(message: str, line: int | None, severity: ProblemSeverity = ProblemSeverity.ERROR) -> Problem:
    """A mistake of a template, or something to look at."""
    return Problem(line=line, field="template", severity=severity, rule=Rule.FILE, message=message)


def find_template_problems(source: str, *, is_mjml: bool = False) -> tuple[Problem, ...]:
    """The mistakes of a template's HTML or MJML and of its Jinja2, by line; none are warnings."""
    collected = _Collected(is_mjml)
    try:
        tree = parse_template(source)
    except TemplateRefused as refusal:
        return (template_problem(refusal.reason, refusal.line),)
    scanner = MarkupScanner(found=collected.found, content=collected.content, refuse=collected.refuse)
    TemplateWalk(scanner).walk(tree)
    collected.finish()
    problems = dict.fromkeys(template_problem(message, line) for line, message in collected.mistakes)
    return tuple(sorted(problems, key=lambda one: one.line or 0)[:_MOST_PROBLEMS])


@dataclass(slots=True)
class _Collected:
    is_mjml: bool
    mistakes: list[tuple[int, str]] = field(default_factory=list)
    open_tags: list[Tag] = field(default_factory=list)
    """Of MJML, whose tags must be closed."""
    names: set[str] = field(default_factory=set)
    styles: int = 0

    def refuse(self, line: int, why: str) -> None:
        self.mistakes.append((line, why))

    def content(self, content: str | Inserted, line: int, _is_conditional: bool) -> None:
        inside = self.open_tags[-1].name if self.open_tags else "mjml"
        is_said = isinstance(content, Inserted) or content.strip()
        if self.is_mjml and is_said and inside in MJML_CONTAINERS:
            self.refuse(line, f"no text and no value can stand right in <{inside}>; put it into <mj-text> or <mj-raw>")

    def found(self, tag: Tag) -> None:
        if not tag.is_end:
            self.names.add(tag.name)
            self.mistakes.extend(tag_problems(tag, is_mjml=self.is_mjml))
            self.styles += sum(map(len, map(str, tag.content or ())))
            if tag.name in {"html", "mjml"}:
                self._check_root(tag)
        if self.is_mjml:
            self._follow(tag)

    def _check_root(self, tag: Tag) -> None:
        given = {one.name for one in tag.attributes}
        for name, value in (("lang", "letter_language"), ("dir", "letter_dir")):
            if name not in given:
                self.refuse(tag.line, f'<{tag.name}> needs {name}="{{{{ {value} }}}}"')

    def _follow(self, tag: Tag) -> None:
        """Follow the tags of MJML: each must be closed in its turn, else its line is hard to find."""
        if tag.is_closed or (tag.name in VOID_ELEMENTS and not tag.is_end):
            return
        if not tag.is_end and tag.content is None:
            inside = self.open_tags[-1].name if self.open_tags else ""
            if tag.name in MJML_ELEMENTS and inside and inside not in {*MJML_CONTAINERS, "mj-raw"}:
                self.refuse(tag.line, f"<{tag.name}> cannot stand in <{inside}>")
            self.open_tags.append(tag)
        elif tag.is_end and tag.name not in {"mj-style", "mj-title", "mj-preview", "style", "title"}:
            opened = self.open_tags.pop() if self.open_tags else None
            if opened is None or opened.name != tag.name:
                what = f"<{opened.name}> of line {opened.line} is not closed yet" if opened else "nothing is open"
                self.refuse(tag.line, f"</{tag.name}> stands where {what}")

    def finish(self) -> None:
        root, title = ("mjml", "mj-title") if self.is_mjml else ("html", "title")
        for name in (root, title):
            if name not in self.names:
                self.refuse(1, f"there is no <{name}> in the template")
        if self.styles > MOST_STYLES:
            self.refuse(1, f"{self.styles} characters are too many for styles; the most is {MOST_STYLES}")
        for tag in self.open_tags:
            self.refuse(tag.line, f"<{tag.name}> is not closed")
