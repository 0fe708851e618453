"""Finds all mistakes of a campaign file, where parsing it stops at the first, and what its writer should look at."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import yaml

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file import KEYS, CampaignFile, normalize_campaign_text, parse_campaign_file
from mailer.mail.compose.campaign_file_fields import (
    parse_action,
    parse_answers,
    parse_attachments,
    parse_calendar,
    parse_language_field,
    parse_pictures,
    parse_source,
    parse_subject,
    parse_tags,
    parse_template,
)
from mailer.mail.compose.campaign_text_fields import TextReader
from mailer.mail.compose.dynamic_content import parse_dynamic_text
from mailer.mail.compose.event_field import parse_event
from mailer.mail.compose.find_doubts import find_doubts
from mailer.mail.compose.front_matter import (
    FrontMatterField,
    parse_front_matter,
    split_front_matter,
)
from mailer.mail.compose.merge_field import (
    Placeholders,
    find_merge_fields,
    find_missing_fallbacks,
    has_dynamic_content,
    list_merge_fields,
    mask_missing_fallbacks,
)
from mailer.mail.compose.problem import Problem, ProblemSeverity, Rule
from mailer.mail.compose.writing_faults import find_undescribed_pictures
from mailer.mail.foreign_fields.foreign_merge_fields import find_foreign_errors, mask_foreign_fields
from mailer.mail.markdown.markdown import find_faults

_ONE_KEY = re.compile(r"[a-z]+")
_KEY_LINE = re.compile(r"([a-z]+):")


def find_problems(
    text: str,
    language: str,
    try_letter: Callable[[CampaignFile], frozenset[str]],
    known_values: Collection[str] | None = None,
) -> tuple[Problem, ...]:
    """All problems of a text for the edition in `language`, errors first, each kind by line.

    `try_letter` composes the letter and returns the names of the values it uses; it raises CampaignFileRefused, and is
    called if nothing else is wrong.
    `known_values` are the names of values that readers have; None: any may be.
    """
    search = _Search(language)
    search.run(text)
    names = frozenset[str]()
    if not search.found:
        try:
            names = try_letter(parse_campaign_file(text, language))
        except CampaignFileRefused as refusal:
            search.add(refusal, _field_at(text, refusal.line, search.body_line) if refusal.line else "")
    doubts = find_doubts(text, names, known_values)
    errors = sorted(dict.fromkeys(search.found), key=lambda one: one.line or 0)
    return (*errors, *sorted(doubts, key=lambda one: one.line or 0))


@dataclass(slots=True)
class _Search:
    language: str
    found: list[Problem] = field(default_factory=list)
    body_line: int = 0

    def run(self, text: str) -> None:
        try:
            text = normalize_campaign_text(text)
            _, _, self.body_line = split_front_matter(text)
        except CampaignFileRefused as refusal:
            self.add(refusal, "")
            return
        for fault in find_foreign_errors(text):
            self.add(fault, _field_at(text, fault.line or 0, self.body_line), Rule.FOREIGN_FIELD)
        # Each of them would be a mistake of other kinds, too.
        front_matter, body, _ = split_front_matter(mask_foreign_fields(text))
        try:
            self._check_keys(parse_front_matter(front_matter))
        except CampaignFileRefused as refusal:
            self.add(refusal, "")
        self._check_body(body)

    def add(self, refusal: CampaignFileRefused, name: str, rule: Rule = Rule.FILE) -> None:
        problem = Problem(
            line=refusal.line, field=name, severity=ProblemSeverity.ERROR, rule=rule, message=refusal.reason
        )
        self.found.append(problem)

    def _check_keys(self, front_matter: FrontMatterField) -> None:
        node = front_matter.node
        if not isinstance(node, yaml.MappingNode):
            front_matter.keys(KEYS)  # raises, saying what is wrong
            return
        fields: dict[str, FrontMatterField] = {}
        for pair in node.value:
            # One key at a time, so that one mistake does not hide the next.
            alone = FrontMatterField(front_matter.name, yaml.MappingNode(node.tag, [pair]), front_matter.line)
            name = str(getattr(pair[0], "value", ""))
            try:
                if name in fields:
                    raise CampaignFileRefused(f"{name} occurs a second time", pair[0].start_mark.line + 2)
                fields |= alone.keys(KEYS)
            except CampaignFileRefused as refusal:
                self.add(refusal, name if _ONE_KEY.fullmatch(name) else "")
        self._check_fields(fields)

    def _check_fields(self, fields: dict[str, FrontMatterField]) -> None:
        if "subject" not in fields:
            self.add(CampaignFileRefused("the subject is missing", 1), "subject", Rule.EMPTY)
        for name, one in fields.items():
            try:
                self._check_field(name, one)
            except CampaignFileRefused as refusal:
                self.add(refusal, name)

    def _check_field(self, name: str, one: FrontMatterField) -> None:
        reader = TextReader()
        if name == "subject":
            parse_subject(one, reader)
        elif name == "title":
            reader.one_line(one)
        elif name == "language":
            if (tag := parse_language_field(one, self.language)) != self.language:
                refusal = CampaignFileRefused(f"this is the text in {self.language!r}, and it says {tag!r}", one.line)
                self.add(refusal, "language", Rule.LANGUAGE)
        elif name == "action":
            parse_action(one, reader)
        elif name in _OTHER_PARSERS:
            _OTHER_PARSERS[name](one)
        else:
            reader.text(one)

    def _check_body(self, body: str) -> None:
        if not body.strip():
            self.add(CampaignFileRefused("the letter has no text", self.body_line), "body", Rule.EMPTY)
            return
        for refusal in _merge_errors(body, self.body_line):
            self.add(refusal, "body")
        for refusal in find_undescribed_pictures(body, self.body_line):
            self.add(refusal, "body", Rule.NO_DESCRIPTION)
        masked = mask_missing_fallbacks(body) if "{%" not in body else body
        if has_dynamic_content(masked):
            return  # its links and blocks are known once it is evaluated
        source = Placeholders.for_text(masked, list_merge_fields(masked)).insert_placeholders(masked)
        for refusal in find_faults(source, self.body_line):
            self.add(refusal, "body")


def _field_at(text: str, line: int, body_line: int) -> str:
    """The key of the front matter in whose value this line is, or `body`; "" for none."""
    if line >= body_line:
        return "body"
    names = [match[1] for one in text.split("\n")[:line] if (match := _KEY_LINE.match(one))]
    return names[-1] if names and names[-1] in KEYS else ""


_OTHER_PARSERS: dict[str, Callable[[FrontMatterField], object]] = {
    "attachments": lambda one: parse_attachments(one, TextReader()),
    # Without an event it is refused when the whole file is parsed.
    "calendar": lambda one: parse_calendar(one, has_event=True),
    "event": parse_event,
    "pictures": lambda one: parse_pictures(one, TextReader()),
    "source": parse_source,
    "answers": parse_answers,
    "tags": parse_tags,
    "template": parse_template,
}


def _merge_errors(body: str, first_line: int) -> list[CampaignFileRefused]:
    """The mistakes in double braces: each of plain merge fields, but of conditions only the first."""
    found = find_missing_fallbacks(body, first_line)
    rest = mask_missing_fallbacks(body) if found else body
    try:
        if has_dynamic_content(rest):
            parse_dynamic_text(rest, first_line)
            return found
    except CampaignFileRefused as refusal:
        return [*found, refusal]
    for number, line in enumerate(rest.split("\n"), first_line):
        try:
            find_merge_fields(line, number)
        except CampaignFileRefused as refusal:
            found.append(refusal)
    return found
