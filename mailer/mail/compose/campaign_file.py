"""The campaign file that an organiser writes: YAML front matter and Markdown, parsed and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mailer.domain.event import Event
from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file_fields import (
    CallToAction,
    ContentSource,
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
from mailer.mail.compose.campaign_text_fields import TextReader, refuse_control_characters
from mailer.mail.compose.event_field import parse_event
from mailer.mail.compose.front_matter import normalize_line_ends, parse_front_matter, split_front_matter
from mailer.mail.compose.merge_field import MergeField, Placeholders, has_dynamic_content
from mailer.mail.markdown.markdown import parse_markdown

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
    "answers",
    "tags",
    "pictures",
    "attachments",
    "calendar",
)
_TEXT_NAMES = ("subject", "title", "lead", "preheader", "closing", "body")


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
    answers: ContentSource | None
    """The letter or page that this one answers; without a text where its title is to stand."""
    tags: tuple[str, ...]
    pictures_inline: bool = False
    """Whether pictures go along in the letter; else it shows them from the site."""
    attachments: tuple[str, ...] = ()
    """Paths of media files."""
    calendar: bool = False
    """Whether the event goes along as a file for calendars."""
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
    text = normalize_campaign_text(text)
    front_matter, body, body_line = split_front_matter(text)
    fields = parse_front_matter(front_matter).keys(KEYS)
    if "subject" not in fields:
        raise CampaignFileRefused("subject is missing: add a line like subject: Harvest forum", 1)
    reader = TextReader()
    if "template" in fields:
        reader.lines["template"] = fields["template"].line
    subject = parse_subject(fields["subject"], reader)
    lead = reader.text(fields.get("lead"))
    campaign_file = CampaignFile(
        subject=subject,
        title=reader.one_line(fields.get("title")) or subject,
        lead=lead,
        preheader=reader.text(fields.get("preheader")) or lead,
        language=parse_language_field(fields.get("language"), default_language),
        template=parse_template(fields.get("template")),
        event=parse_event(fields["event"]) if "event" in fields else None,
        action=parse_action(fields.get("action"), reader),
        closing=reader.text(fields.get("closing")),
        source=parse_source(fields.get("source")),
        answers=parse_answers(fields.get("answers")),
        tags=parse_tags(fields.get("tags")),
        pictures_inline=parse_pictures(fields.get("pictures"), reader),
        attachments=parse_attachments(fields.get("attachments"), reader),
        calendar=parse_calendar(fields.get("calendar"), has_event="event" in fields),
        body=reader.body(body, body_line),
        body_line=body_line,
        merge_fields=tuple(reader.merge_fields),
        lines=reader.lines,
    )
    if not has_dynamic_content(body):
        parse_markdown(Placeholders.for_text(text, campaign_file.merge_fields).insert_placeholders(body), body_line)
    return campaign_file


def normalize_campaign_text(text: str) -> str:
    """The text with plain line ends. Raises CampaignFileRefused for control characters, or if it is too long."""
    text = normalize_line_ends(text)
    refuse_control_characters(text)
    if len(text) > MOST_CHARACTERS:
        raise CampaignFileRefused(f"{len(text)} characters are too many for a letter; shorten it to {MOST_CHARACTERS}")
    return text
