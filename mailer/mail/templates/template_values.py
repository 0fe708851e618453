"""The values that an organiser's template is given, and where in a letter each of them may stand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from enum import StrEnum
from typing import Any

from markupsafe import Markup

from mailer.domain.letters.letter_colors import LetterColors
from mailer.mail.compose.templates import Templates


class ValueKind(StrEnum):
    """What a value is; this decides where it may stand and what may be asked of it."""

    TEXT = "a text"
    """Written by somebody; it may stand between tags and in a quoted attribute."""
    WORD = "a word"
    """Made by us of letters, digits, hyphens and #, like a colour or a language; it may stand in styles, too."""
    ADDRESS = "an address"
    """A text that may also follow `mailto:`."""
    URL = "a link"
    """Checked by us, or empty; it may also be the whole of a link."""
    SITE = "the site's link"
    """A link, that a path of a picture may also follow."""
    PICTURE = "a picture's link"
    """Of a picture that we keep."""
    NUMBER = "a number"
    FLAG = "yes or no"
    """For conditions only."""
    LIST = "a list of texts"
    """For loops, `join`, `first`, `last` and `length`."""
    RECORD = "a record"
    """For conditions and for its parts, as in `event.name`."""
    STYLES = "styles"
    """Of the house; they may stand in <style>."""
    HTML = "HTML"
    """Only the letter's own text; it may stand between tags."""


_T, _W, _U, _N = ValueKind.TEXT, ValueKind.WORD, ValueKind.URL, ValueKind.NUMBER
VALUES: Mapping[str, ValueKind] = {
    **dict.fromkeys(("subject", "title", "lead", "preheader", "closing", "action_label"), _T),
    **dict.fromkeys(("list_title", "site_name", "reason", "postal_address"), _T),
    **dict.fromkeys(("letter_language", "letter_dir", "language", "dir", "list_language"), _W),
    **dict.fromkeys(("start", "end"), _W),
    **dict.fromkeys(("action_url", "leave_url", "view_url"), _U),
    **dict.fromkeys(("tags", "postal_lines"), ValueKind.LIST),
    **dict.fromkeys(("event", "event_date", "source", "logo", "colors", "words"), ValueKind.RECORD),
    "site_url": ValueKind.SITE,
    "list_address": ValueKind.ADDRESS,
    "body_styles": ValueKind.STYLES,
    "body": ValueKind.HTML,
}
"""By name; docs/templates.md says what each is."""
WORDS = ("when", "where", "source", "view", "leave", "sender", "questions")
"""Our own phrases by name, as the house's templates have them: templates/letters/organiser_words.txt.j2."""
PARTS: Mapping[str, Mapping[str, ValueKind]] = {
    "event": {"name": _T, "place": _T, "all_day": ValueKind.FLAG},
    "event_date": {"when": _T, "clock": _T},
    "source": {"text": _T, "url": _U},
    "logo": {"url": ValueKind.PICTURE, "width": _N, "height": _N},
    "colors": {one.name: _W for one in fields(LetterColors)},
    "words": dict.fromkeys(WORDS, _T),
    "loop": dict.fromkeys(("index", "index0", "length"), _N) | dict.fromkeys(("first", "last"), ValueKind.FLAG),
}
"""The parts of records by name; `loop` is known in loops only."""
_RULE = re.compile(r"\s*([^@{}]+?)\s*(\{[^{}]*\})\s*")
_MOST_ITEMS = 100
"""Of a list that a template goes over."""


def values_for_template(given: Mapping[str, Any], templates: Templates) -> dict[str, Any]:
    """All of VALUES, of the values that the house's templates are given; what a letter has not is empty.

    Our own phrases are in the language `language`.
    """
    values = {name: _empty(kind) if given.get(name) is None else given[name] for name, kind in VALUES.items()}
    start, end = ("right", "left") if values["letter_dir"] == "rtl" else ("left", "right")
    words = _words(templates, values)
    values |= {
        "body": Markup(values["body"]),  # noqa: S704  (Markdown made it, and nh3 has cleaned it)
        "words": {name: words[name] for name in WORDS},
        "reason": values["reason"] or words["subscribed"],
        "body_styles": _body_styles(templates, given),
        "start": start,
        "end": end,
        "tags": list(values["tags"])[:_MOST_ITEMS],
        "postal_lines": values["postal_address"].splitlines(),
    }
    for record in ("event", "source", "logo", "colors"):
        values[record] = _parts_of(values[record], PARTS[record])
    date = values["event_date"]
    values["event_date"] = _parts_of(words | {"when": date.when} if date else None, PARTS["event_date"])
    return values


def _words(templates: Templates, values: Mapping[str, Any]) -> dict[str, str]:
    phrases = templates.render(
        "letters/organiser_words.txt",
        values["language"],
        title=values["list_title"],
        sender=values["site_name"],
        address=values["list_address"],
        event_date=values["event_date"],
    )
    return dict(line.split("=", 1) for line in phrases.split("\n") if line)


def _body_styles(templates: Templates, given: Mapping[str, Any]) -> Markup:
    """The styles of the house's letters for all that stands in an element of the class `words`."""
    wanted = {name: given[name] for name in ("colors", "letter_dir")}
    styles = templates.render("letters/organiser_styles.css", given["language"], **wanted)
    lines = [line for line in map(_body_rule, styles.split("\n")) if line]
    return Markup("\n".join(lines))  # noqa: S704  (of our own files and colours)


def _body_rule(line: str) -> str:
    """A line of the styles, one rule each, with only those of its selectors that are about the text."""
    rule = _RULE.fullmatch(line)
    if rule is None:
        return line
    selectors = [one for one in map(str.strip, rule[1].split(",")) if one.startswith((".words", ".button"))]
    return f"{', '.join(selectors)} {rule[2]}" if selectors else ""


def _empty(kind: ValueKind) -> Any:
    return {ValueKind.NUMBER: 0, ValueKind.LIST: ()}.get(kind, "")


class _Absent(dict[str, Any]):
    """A record that the letter does not have: no for conditions, and all its parts are empty."""

    def __bool__(self) -> bool:
        return False


def _parts_of(record: Any, names: Mapping[str, ValueKind]) -> dict[str, Any]:
    if not record:
        return _Absent((name, _empty(kind)) for name, kind in names.items())
    parts = record if isinstance(record, Mapping) else {name: getattr(record, name) for name in names}
    return {name: parts[name] or _empty(kind) for name, kind in names.items()}
