"""The problems of a text as a page lists them: a sentence, and the place in the form."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request

from mailer.actions.campaigns.draft_view import DraftView
from mailer.entrypoints.web.console.pages import page_language
from mailer.entrypoints.web.responses import get_app
from mailer.mail.compose.problem import Problem

_CONTROLS = {"action": "action_label", "event": "event_name", "source": "source_text", "": "body"}
"""The control for a key of the front matter, where it is not called like it."""


def list_problems(request: Request, view: DraftView, problems: Iterable[Problem]) -> list[dict[str, str | int | None]]:
    """Each problem: `severity`, `sentence`, `control` (an id in the form), `line` (of the body, from 1, or None)."""
    language = page_language(request)
    templates = get_app(request).console_templates
    first_body_line = _first_body_line(view)
    return [
        {
            "severity": one.severity.value,
            "sentence": templates.render("console/problem_words.txt", language, problem=one).strip(),
            "control": _control(view, one),
            "line": _body_line(one, first_body_line),
        }
        for one in problems
    ]


def _control(view: DraftView, problem: Problem) -> str:
    return "text" if view.fields is None else _CONTROLS.get(problem.field, problem.field)


def _body_line(problem: Problem, first_body_line: int) -> int | None:
    if problem.line is None or (problem.field not in {"body", ""} and first_body_line > 1):
        return None
    line = problem.line - first_body_line + 1
    return line if line >= 1 else None


def _first_body_line(view: DraftView) -> int:
    """The line of the file on which the text area of the form begins."""
    if view.fields is None:
        return 1
    return view.text.count("\n") - view.fields.body.count("\n") + 1
