"""A manuscript: the file an organiser writes, front matter and Markdown, checked line by line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mailer.domain.event import Event
from mailer.domain.language import parse_language
from mailer.errors import ManuscriptRefused
from mailer.mail.compose.campaign_text_fields import TextReader, plain, refuse_controls
from mailer.mail.compose.event_field import read_event
from mailer.mail.compose.front_matter import Field, read_front_matter, split_front_matter
from mailer.mail.compose.link import check_link
from mailer.mail.compose.markdown import read_markdown
from mailer.mail.compose.merge_field import Hole, Marks, fill_with_fallbacks, find_holes, is_script

LONGEST_SUBJECT = 150
MOST_CHARACTERS = 100_000
"""Of a whole manuscript: a longer letter is cut off by mail programs."""
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
_TEXTS = ("subject", "title", "lead", "preheader", "closing", "body")
_TEMPLATE = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """What the letter asks its reader to do."""

    label: str
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where the organiser has it from."""

    text: str
    url: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Manuscript:
    """One edition's text, as written: holes still look like `{{ name or "there" }}`. Texts left out are ""."""

    subject: str
    title: str
    lead: str
    preheader: str
    """The words that inboxes show beside the subject."""
    language: str
    template: str
    event: Event | None
    action: Action | None
    closing: str
    source: Source | None
    tags: tuple[str, ...]
    body: str
    """Markdown."""
    body_line: int
    """The body's first line in the file."""
    holes: tuple[Hole, ...]
    """Those outside of scripts, each once, in order."""
    lines: dict[str, int] = field(default_factory=dict)
    """The first line in the file of each text that was given."""

    @property
    def hole_names(self) -> frozenset[str]:
        """What is asked of each reader: `name`, or attributes of the subscription."""
        return frozenset(hole.name for hole in self.holes)


def texts(manuscript: Manuscript) -> dict[str, str]:
    """The texts that may have holes, by name; empty ones too."""
    action = manuscript.action or Action(label="", url="")
    found = {key: str(getattr(manuscript, key)) for key in _TEXTS}
    return found | {"label": action.label, "url": action.url}


def with_texts(manuscript: Manuscript, texts: Mapping[str, str]) -> Manuscript:
    """The same manuscript with other texts; without a link it asks for nothing."""
    action = Action(label=texts["label"], url=texts["url"]) if texts["url"] else None
    changed: dict[str, Any] = {key: texts[key] for key in _TEXTS}
    return replace(manuscript, action=action, **changed)


def read_manuscript(text: str, default_language: str) -> Manuscript:
    """Markdown after YAML front matter; ManuscriptRefused names the line of the first mistake."""
    text = _clean(text)
    front, body, body_line = split_front_matter(text)
    fields = read_front_matter(front).keys(KEYS)
    if "subject" not in fields:
        raise ManuscriptRefused("subject is missing", 1)
    reader = TextReader()
    subject = _subject(fields["subject"], reader)
    lead = reader.text(fields.get("lead"))
    manuscript = Manuscript(
        subject=subject,
        title=reader.one_line(fields.get("title")) or subject,
        lead=lead,
        preheader=reader.text(fields.get("preheader")) or lead,
        language=_language(fields.get("language"), default_language),
        template=_template(fields.get("template")),
        event=read_event(fields["event"]) if "event" in fields else None,
        action=_action(fields.get("action"), reader),
        closing=reader.text(fields.get("closing")),
        source=_source(fields.get("source")),
        tags=_tags(fields.get("tags")),
        body=reader.body(body, body_line),
        body_line=body_line,
        holes=tuple(reader.holes),
        lines=reader.lines,
    )
    if not is_script(body):
        read_markdown(Marks.of(text, manuscript.holes).mark(body), body_line)
    return manuscript


def _clean(text: str) -> str:
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    refuse_controls(text)
    if len(text) > MOST_CHARACTERS:
        raise ManuscriptRefused(f"{len(text)} characters are too many for a letter; {MOST_CHARACTERS} is the most")
    return text


def _subject(field: Field, reader: TextReader) -> str:
    subject = reader.one_line(field)
    if is_script(subject):
        return subject
    bare = fill_with_fallbacks(subject)
    if not bare.strip():
        raise field.refuse("would be empty for readers of whom we know nothing")
    if len(bare) > LONGEST_SUBJECT:
        raise field.refuse(f"has {len(bare)} characters; {LONGEST_SUBJECT} is the most")
    return subject


def _language(field: Field | None, default: str) -> str:
    if field is None:
        return default
    language = parse_language(field.text())
    if language is None:
        raise field.refuse(f"must be a language tag like de or pt-br, not {field.text()!r}")
    return language


def _template(field: Field | None) -> str:
    if field is None:
        return "appeal"
    if not _TEMPLATE.fullmatch(field.text()):
        raise field.refuse("must be the plain name of a template, like appeal")
    return field.text()


def _action(field: Field | None, reader: TextReader) -> Action | None:
    if field is None:
        return None
    parts = field.complete(("label", "url"))
    label, url = reader.one_line(parts["label"]), reader.one_line(parts["url"])
    if not is_script(url):
        check_link(Marks.of(url, tuple(find_holes(url, field.line))).mark(url), parts["url"].line)
    return Action(label=label, url=url)


def _source(field: Field | None) -> Source | None:
    if field is None:
        return None
    if field.is_text:
        return Source(text=plain(field), url=None)
    parts = field.complete(("text", "url"))
    return Source(text=plain(parts["text"]), url=check_link(plain(parts["url"]), parts["url"].line))


def _tags(field: Field | None) -> tuple[str, ...]:
    if field is None:
        return ()
    return tuple(tag for entry in field.items() if (tag := plain(entry)))
