"""A template as it was handed in, checked and turned into the HTML that letters are rendered with."""

from __future__ import annotations

from mailer.errors import TemplateRefused
from mailer.mail.compose.front_matter import normalize_line_ends
from mailer.mail.compose.problem import Problem
from mailer.mail.templates.mjml_template import is_mjml, mjml_to_html
from mailer.mail.templates.template_checks import find_template_problems, template_problem


def prepare_template(source: str) -> tuple[str, tuple[Problem, ...]]:
    """(HTML, mistakes); the HTML is empty where there are mistakes. Nothing is rendered yet.

    A mistake that shows only in the HTML which MJML makes has no line.
    """
    source = normalize_line_ends(source)
    if problems := find_template_problems(source, is_mjml=is_mjml(source)):
        return "", problems
    if not is_mjml(source):
        return source, ()
    try:
        html = mjml_to_html(source)
    except TemplateRefused as refusal:
        return "", (template_problem(refusal.reason, refusal.line),)
    unseen = tuple(
        template_problem(f"in the HTML that MJML makes of it: {one.message}", None)
        for one in find_template_problems(html)
    )
    return ("", unseen) if unseen else (html, ())
