"""Renders the HTML of a letter with an organiser's template, within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import Template

from mailer.domain.letters.letter_template import LetterTemplate
from mailer.errors import CampaignFileRefused, TemplateRefused
from mailer.mail.compose.templates import Templates
from mailer.mail.templates.template_checks import find_template_problems
from mailer.mail.templates.template_syntax import make_environment
from mailer.mail.templates.template_values import values_for_template

_MOST_OUTPUT = 2_000_000
"""Characters; a letter of a twentieth of that is refused later, by its size."""
_KEPT = 64


def render_organiser_template(template: LetterTemplate, given: Mapping[str, Any], templates: Templates) -> str:
    """The HTML of a letter, by the values that the house's templates are given.

    Raises CampaignFileRefused if the letter becomes too long, and for a template that would be refused today.
    """
    try:
        compiled = _compile(template.html)
    except TemplateRefused as refusal:
        raise CampaignFileRefused(
            f"the template {template.name!r} must be handed in again, for it is refused by now: {refusal}"
        ) from None
    pieces, length = [], 0
    for piece in compiled.generate(values_for_template(given, templates)):
        pieces.append(piece)
        length += len(piece)
        if length > _MOST_OUTPUT:
            raise CampaignFileRefused(f"with the template {template.name!r} this letter is much too long; shorten it")
    return "".join(pieces)


@lru_cache(maxsize=_KEPT)
def _compile(html: str) -> Template:
    """The compiled template, checked again: rows of a database may come from elsewhere."""
    for problem in find_template_problems(html):
        raise TemplateRefused(problem.message, problem.line)
    return make_environment().from_string(html)
