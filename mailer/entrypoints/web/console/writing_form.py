"""The fields of the page where a letter is written: read from a form, and where on it each problem stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import FormData

from mailer.actions.campaigns.draft_view import DraftView
from mailer.mail.compose.campaign_file_fields import DEFAULT_TEMPLATE
from mailer.mail.compose.front_matter import normalize_line_ends, split_front_matter
from mailer.mail.compose.letter_fields import FIELD_NAMES, LetterFields
from mailer.mail.compose.problem import Problem

_FIXED = {"language"}
"""What the form does not ask: the edition has its language."""
_HOURS = ("event_starts", "event_ends")
_DAY_AND_HOUR = re.compile(r"(?P<day>\d{4}-\d\d-\d\d)?(?:(?(day)[T ])(?P<hour>\d\d:\d\d)(?::00)?)?")
_CONTROLS = {
    "action": "action_label",
    "event": "event_name",
    "source": "source_text",
    "answers": "answers_url",
    "attachments": "media",
    "pictures": "pictures",
    "calendar": "calendar",
    "tags": "tags",
    "body": "body",
}
"""The control that shows a key of the front matter, where it is not of the same name."""
_PLAIN = {"subject", "preheader", "title", "lead", "closing", "template"}


@dataclass(frozen=True, slots=True)
class DayAndHour:
    """A local time in two inputs of a form; `other` is a text that these cannot show."""

    day: str = ""
    hour: str = ""
    other: str = ""


@dataclass(frozen=True, slots=True)
class PlacedProblem:
    """A problem, the control that it is about (by id), and the line in that."""

    problem: Problem
    control: str
    line: int | None


def read_fields(form: FormData) -> dict[str, str]:
    """The fields of a letter that a form holds, by name. Days and hours are joined where they were changed."""
    given = {name: value for name, value in form.items() if isinstance(value, str)}
    fields = {name: given[name] for name in FIELD_NAMES if name in given and name not in _FIXED}
    for name in _HOURS:
        if f"{name}_day" not in given and f"{name}_hour" not in given:
            continue
        day, hour = given.get(f"{name}_day", "").strip(), given.get(f"{name}_hour", "").strip()[:5]
        if split_hour(fields.get(name, "")) != DayAndHour(day, hour):
            fields[name] = f"{day}T{hour}" if day and hour else day or hour
    return fields


def split_hours(fields: LetterFields | None) -> dict[str, DayAndHour]:
    """Start and end of the event, by field, for the form."""
    return {name: split_hour(getattr(fields, name, "")) for name in _HOURS}


def split_hour(text: str) -> DayAndHour:
    """Day and hour of a local time, either of which may be missing."""
    found = _DAY_AND_HOUR.fullmatch(text)
    return DayAndHour(found["day"] or "", found["hour"] or "") if found else DayAndHour(other=text)


def template_choices(names: Sequence[str], fields: LetterFields | None) -> tuple[str, ...]:
    """What the form offers as the template: the usual one first, which a file need not name, and the file's own."""
    chosen = fields.template if fields else ""
    usual = chosen if chosen == DEFAULT_TEMPLATE else ""
    return tuple(dict.fromkeys((usual, *(name for name in names if name != DEFAULT_TEMPLATE), chosen)))


def place_problems(draft: DraftView, *, is_file: bool) -> tuple[PlacedProblem, ...]:
    """The problems of a text, with the control each is about: in the campaign file, or among its fields."""
    if is_file:
        return tuple(PlacedProblem(one, "text", one.line) for one in draft.problems)
    before_body = split_front_matter(normalize_line_ends(draft.text))[2] - 1
    return tuple(_place(one, before_body) for one in draft.problems)


def _place(one: Problem, before_body: int) -> PlacedProblem:
    is_in_body = one.field == "body" or (not one.field and one.line is not None and one.line > before_body)
    if is_in_body:
        return PlacedProblem(one, "body", one.line - before_body if one.line and one.line > before_body else None)
    control = one.field if one.field in _PLAIN else _CONTROLS.get(one.field, "body")
    return PlacedProblem(one, control, None)
