"""A template tried on all sample letters: whether each can be written, and shows what every letter must."""

from __future__ import annotations

from collections.abc import Iterator

from mailer.domain.language import text_direction
from mailer.errors import CampaignFileRefused, MailerError
from mailer.mail.compose.problem import Problem, ProblemSeverity
from mailer.mail.compose.templates import Templates
from mailer.mail.preflight.check_contrast import find_faint_words
from mailer.mail.templates.sample_letters import (
    ADDRESS_WORDS,
    BODY_WORD,
    LEAVE_PATH,
    Sample,
    list_samples,
    render_sample,
)
from mailer.mail.templates.template_checks import template_problem
from mailer.mail.templates.visible_letter import VisibleLetter, read_visible_letter

_MOST_FAINT = 5
_DEEPEST = 60


def try_template(html: str, templates: Templates) -> tuple[Problem, ...]:
    """What is wrong with the letters, those for which there would be none first; takes a second or more.

    `html` is a template in which `prepare_template` found no mistake.
    """
    faint: dict[str, None] = {}
    for sample in list_samples(templates):
        try:
            shown = read_visible_letter(render_sample(html, sample, templates))
        except CampaignFileRefused as refusal:
            if sample.may_be_refused:
                continue
            return (_problem_with(sample, refusal.reason),)
        except (MailerError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
            return (_problem_with(sample, f"it cannot be written: {error or type(error).__name__}"),)
        if missing := next(_missing(sample, shown), None):
            return (_problem_with(sample, missing),)
        faint |= dict.fromkeys(map(str, find_faint_words(shown.document)))
    return tuple(
        template_problem(f"hard to read: {words}", None, ProblemSeverity.WARNING) for words in list(faint)[:_MOST_FAINT]
    )


def _problem_with(sample: Sample, why: str) -> Problem:
    return template_problem(f"with {sample.name}: {why}", None)


def _missing(sample: Sample, shown: VisibleLetter) -> Iterator[str]:
    """What the letter must show and does not."""
    for name, value in (("lang", sample.language), ("dir", text_direction(sample.language))):
        if shown.root.get(name) != value:
            wanted = "letter_language" if name == "lang" else "letter_dir"
            yield f'<html> says {name}="{shown.root.get(name)}"; write {name}="{{{{ {wanted} }}}}"'
    if shown.depth > _DEEPEST:
        yield f"its elements stand {shown.depth} deep in each other; the most is {_DEEPEST}"
    if not shown.title:
        yield "the title is empty; write <title>{{ subject }}</title>"
    if BODY_WORD not in shown.words:
        yield "the body does not show; write {{ body }} where everybody sees it"
    if not any(LEAVE_PATH in address and words for address, words in shown.links.items()):
        yield 'there is no way out; write <a href="{{ leave_url }}">{{ words.leave }}</a> where everybody sees it'
    if sample.mailing_list.postal_address and not all(words in shown.words for words in ADDRESS_WORDS):
        yield "the list's postal address does not show; write {% for line in postal_lines %}{{ line }}<br>{% endfor %}"
