"""Finds what the writer of a campaign file should look at before it is sent, though it can be sent as it is."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.front_matter import normalize_line_ends, split_front_matter
from mailer.mail.compose.letter_fields import split_fields
from mailer.mail.compose.merge_field import fill_with_fallbacks
from mailer.mail.compose.problem import Problem, ProblemSeverity, Rule
from mailer.mail.compose.writing_faults import markdown_of
from mailer.mail.foreign_fields.foreign_merge_fields import find_foreign_fields, mask_foreign_fields
from mailer.mail.markdown.markdown import find_links

LONG_SUBJECT = 70
"""Characters of a subject that most mail programs show on a wide screen."""
ALWAYS_KNOWN = frozenset({"name", "language"})
_UNFINISHED = re.compile(r"\bTK\b|\bXXX\b|\?\?\?|\[\[[^][]*\]\]|\blorem ipsum\b", re.IGNORECASE)
_CAPITALS_ONLY = {"TK", "XXX"}
_USE = r"\{[{%%][^{}]*\b%s\b"


def find_doubts(text: str, names: frozenset[str], known_values: Collection[str] | None) -> list[Problem]:
    """Everything to look at, as warnings.

    `names` are those of the values that the letter uses, and `known_values` those that readers have; None: any may be.
    """
    text = normalize_line_ends(text)
    try:
        _, body, body_line = split_front_matter(text)
    except CampaignFileRefused:
        return []
    found = [
        *_find_unfinished(mask_foreign_fields(text), body_line),
        *_find_foreign_fields(text, body_line),
        *_find_empty_links(body, body_line),
        *_find_long_subject(text),
    ]
    if known_values is not None:
        found += _find_unknown_values(text, body_line, names - ALWAYS_KNOWN - set(known_values))
    return found


def _doubt(rule: Rule, message: str, line: int | None, field: str = "body") -> Problem:
    return Problem(line=line, field=field, severity=ProblemSeverity.WARNING, rule=rule, message=message)


def _find_unfinished(text: str, body_line: int) -> Iterator[Problem]:
    for number, line in enumerate(text.split("\n"), 1):
        for match in _UNFINISHED.finditer(line):
            if match[0].upper() in _CAPITALS_ONLY and match[0] not in _CAPITALS_ONLY:
                continue
            name = "body" if number >= body_line else ""
            yield _doubt(Rule.UNFINISHED, f"{match[0]} was left in the text", number, name)


def _find_foreign_fields(text: str, body_line: int) -> Iterator[Problem]:
    for one in find_foreign_fields(text):
        if not one.is_sure:
            yield _doubt(Rule.FOREIGN_FIELD, one.message, one.line, "body" if one.line >= body_line else "")


def _find_empty_links(body: str, body_line: int) -> Iterator[Problem]:
    for one in find_links(markdown_of(body), body_line):
        if not one.text and not one.is_image:
            yield _doubt(Rule.EMPTY_LINK, "a link without words, which nobody can see", one.line)


def _find_long_subject(text: str) -> Iterator[Problem]:
    try:
        subject = fill_with_fallbacks(split_fields(text).subject)
    except CampaignFileRefused:
        return
    if len(subject) > LONG_SUBJECT:
        message = f"the subject has {len(subject)} characters; many mail programs show {LONG_SUBJECT} or fewer"
        yield _doubt(Rule.LONG_SUBJECT, message, None, "subject")


def _find_unknown_values(text: str, body_line: int, names: frozenset[str]) -> Iterator[Problem]:
    for name in sorted(names):
        match = re.search(_USE % re.escape(name), text)
        line = text.count("\n", 0, match.start()) + 1 if match else None
        where = "body" if line and line >= body_line else ""
        yield _doubt(Rule.UNKNOWN_VALUE, f"no reader has a value called {name!r}", line, where)
