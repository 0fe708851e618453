"""TemplateTrial: what trying a template found, and how a process that tries one answers in JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mailer.errors import TemplateRefused
from mailer.mail.compose.problem import Problem, ProblemSeverity, Rule
from mailer.mail.compose.templates import Templates

OUT_OF_MEMORY = 70
"""The exit code of a process that had no memory left (or stack) to answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TemplateTrial:
    """What trying a template found."""

    html: str
    """What letters would be rendered with; empty where there is a mistake."""
    problems: tuple[Problem, ...]
    """Mistakes, then what its writer should look at."""
    shown: str | None = None
    """A sample letter's HTML, where one was asked for and can be written."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """For each of these it is refused."""
        return tuple(one for one in self.problems if one.severity is ProblemSeverity.ERROR)

    def require_no_error(self) -> None:
        """Raise TemplateRefused with the first mistake, and how many there are."""
        if errors := self.errors:
            more = f" (and {len(errors) - 1} more: `mailer template check` names all)" if len(errors) > 1 else ""
            raise TemplateRefused(f"{errors[0].message}{more}", errors[0].line)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialRequest:
    """What is to be tried, where the house's templates are, and which sample letter to show, by its language."""

    source: str
    templates: Templates
    show: str | None = None

    def to_json(self) -> bytes:
        """For `request_from_json`."""
        folders = (str(self.templates.directory), str(self.templates.locale_directory))
        return json.dumps([self.source, *folders, self.show]).encode()


def request_from_json(octets: bytes) -> TrialRequest:
    """The request that `to_json` wrote."""
    source, directory, locale_directory, show = json.loads(octets)
    return TrialRequest(source=source, templates=Templates(Path(directory), Path(locale_directory)), show=show)


def trial_to_json(trial: TemplateTrial) -> bytes:
    """For `trial_from_json`."""
    return json.dumps(asdict(trial)).encode()


def trial_from_json(octets: bytes) -> TemplateTrial:
    """The trial that `trial_to_json` wrote. Raises ValueError for anything else."""
    values = json.loads(octets)
    problems = tuple(map(_problem_from, values["problems"]))
    return TemplateTrial(html=values["html"], problems=problems, shown=values["shown"])


def _problem_from(values: Mapping[str, Any]) -> Problem:
    return Problem(
        line=values["line"],
        field=values["field"],
        severity=ProblemSeverity(values["severity"]),
        rule=Rule(values["rule"]),
        message=values["message"],
    )
