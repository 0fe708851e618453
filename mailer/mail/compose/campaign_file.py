"""The campaign file that an organiser writes: YAML front matter and Markdown, parsed and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mailer.domain.event import Event
from mailer.domain.language import parse_language
from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_text_fields import TextReader, read_fixed_line, refuse_control_characters
from mailer.mail.compose.event_field import parse_event
from mailer.mail.compose.front_matter import FrontMatterField, parse_front_matter, split_front_matter
from mailer.mail.compose.link import check_link
from mailer.mail.compose.markdown import parse_markdown
from mailer.mail.compose.merge_field import (
    MergeField,
    Placeholders,
    fill_with_fallbacks,
    find_merge_fields,
    has_dynamic_content,
)

LONGEST_SUBJECT = 150
MOST_CHARACTERS = 100_000
"""Of the whole file: mail programs cut off a longer letter."""
KEYS = (
    "subject",
    "title",
    "lead",
    "preheader",
    "language",
    "template",
    "event",
    "action",
    "closing",
    "source",
    "tags",
)
_TEXT_NAMES = ("subject", "title", "lead", "preheader", "closing", "body")
_TEMPLATE_NAME = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")


@dataclass(frozen=True, kw_only=True, slots=True)
class CallToAction:
    """The button of a letter: the one thing it asks its reader to do."""

    label: str
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ContentSource:
    """The source of the letter's information, shown at its end."""

    text: str
    url: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignFile:
    """One edition as written, merge fields included (`{{ name or "there" }}`). A text that was left out is empty."""

    subject: str
    title: str
    lead: str
    preheader: str
    """The text that inboxes show beside the subject."""
    language: str
    template: str
    event: Event | None
    action: CallToAction | None
    closing: str
    source: ContentSource | None
    tags: tuple[str, ...]
    body: str
    """Markdown."""
    body_line: int
    """The line of the file on which the body begins, from 1."""
    merge_fields: tuple[MergeField, ...]
    """The merge fields of texts without dynamic content, each once, in order."""
    lines: dict[str, int] = field(default_factory=dict)
    """The line of the file on which each given text begins, by name."""

    @property
    def merge_field_names(self) -> frozenset[str]:
        """The names of the values used: `name`, `language` or attributes of the subscription."""
        return frozenset(merge_field.name for merge_field in self.merge_fields)


def mergeable_texts(campaign_file: CampaignFile) -> dict[str, str]:
    """All texts that may hold merge fields, by name, with empty ones."""
    action = campaign_file.action or CallToAction(label="", url="")
    values = {key: str(getattr(campaign_file, key)) for key in _TEXT_NAMES}
    return values | {"label": action.label, "url": action.url}


def replace_texts(campaign_file: CampaignFile, texts: Mapping[str, str]) -> CampaignFile:
    """A copy with these texts; without a `url` it has no call to action."""
    action = CallToAction(label=texts["label"], url=texts["url"]) if texts["url"] else None
    changed: dict[str, Any] = {key: texts[key] for key in _TEXT_NAMES}
    return replace(campaign_file, action=action, **changed)


def parse_campaign_file(text: str, default_language: str) -> CampaignFile:
    """The parsed file: YAML front matter, then Markdown.

    Raises CampaignFileRefused with the line of the first mistake.
    """
    text = _normalize(text)
    front_matter, body, body_line = split_front_matter(text)
    fields = parse_front_matter(front_matter).keys(KEYS)
    if "subject" not in fields:
        raise CampaignFileRefused("subject is missing: add a line like subject: Harvest forum", 1)
    reader = TextReader()
    subject = _parse_subject(fields["subject"], reader)
    lead = reader.text(fields.get("lead"))
    campaign_file = CampaignFile(
        subject=subject,
        title=reader.one_line(fields.get("title")) or subject,
        lead=lead,
        preheader=reader.text(fields.get("preheader")) or lead,
        language=_parse_language_field(fields.get("language"), default_language),
        template=_parse_template(fields.get("template")),
        event=parse_event(fields["event"]) if "event" in fields else None,
        action=_parse_action(fields.get("action"), reader),
        closing=reader.text(fields.get("closing")),
        source=_parse_source(fields.get("source")),
        tags=_parse_tags(fields.get("tags")),
        body=reader.body(body, body_line),
        body_line=body_line,
        merge_fields=tuple(reader.merge_fields),
        lines=reader.lines,
    )
    if not has_dynamic_content(body):
        parse_markdown(Placeholders.for_text(text, campaign_file.merge_fields).insert_placeholders(body), body_line)
    return campaign_file


def _normalize(text: str) -> str:
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    refuse_control_characters(text)
    if len(text) > MOST_CHARACTERS:
        raise CampaignFileRefused(f"{len(text)} characters are too many for a letter; shorten it to {MOST_CHARACTERS}")
    return text


def _parse_subject(field: FrontMatterField, reader: TextReader) -> str:
    subject = reader.one_line(field)
    if has_dynamic_content(subject):
        return subject
    with_fallbacks = fill_with_fallbacks(subject)
    if not with_fallbacks.strip():
        raise field.error(
            "would be empty for readers of whom nothing is known: add a word outside the merge fields, or a fallback"
        )
    if len(with_fallbacks) > LONGEST_SUBJECT:
        raise field.error(f"has {len(with_fallbacks)} characters; shorten it to {LONGEST_SUBJECT}")
    return subject


def _parse_language_field(field: FrontMatterField | None, default: str) -> str:
    if field is None:
        return default
    language = parse_language(field.text())
    if language is None:
        raise field.error(f"must be a language tag like de or pt-br, not {field.text()!r}")
    return language


def _parse_template(field: FrontMatterField | None) -> str:
    if field is None:
        return "appeal"
    if not _TEMPLATE_NAME.fullmatch(field.text()):
        raise field.error("must be the name of a template, like appeal")
    return field.text()


def _parse_action(field: FrontMatterField | None, reader: TextReader) -> CallToAction | None:
    if field is None:
        return None
    parts = field.require_keys(("label", "url"))
    label, url = reader.one_line(parts["label"]), reader.one_line(parts["url"])
    if not has_dynamic_content(url):
        check_link(
            Placeholders.for_text(url, tuple(find_merge_fields(url, field.line))).insert_placeholders(url),
            parts["url"].line,
        )
    return CallToAction(label=label, url=url)


def _parse_source(field: FrontMatterField | None) -> ContentSource | None:
    if field is None:
        return None
    if field.is_text:
        return ContentSource(text=read_fixed_line(field), url=None)
    parts = field.require_keys(("text", "url"))
    return ContentSource(
        text=read_fixed_line(parts["text"]), url=check_link(read_fixed_line(parts["url"]), parts["url"].line)
    )


def _parse_tags(field: FrontMatterField | None) -> tuple[str, ...]:
    if field is None:
        return ()
    return tuple(tag for entry in field.items() if (tag := read_fixed_line(entry)))
