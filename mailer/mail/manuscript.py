"""A manuscript: the file an organiser writes, front matter and Markdown, checked line by line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from mailer.domain.event import Event
from mailer.domain.language import parse_language
from mailer.domain.moment import parse_local_time, parse_zone, to_utc
from mailer.errors import ManuscriptRefused, MomentRefused
from mailer.mail.front_matter import Field, read_front_matter, split_front_matter
from mailer.mail.hole import Hole, Marks, fill_with_fallbacks, find_holes
from mailer.mail.link import check_link
from mailer.mail.markdown import read_markdown

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
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


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
    """One edition's text, as written: holes still look like `{{ name or "friend" }}`. Texts left out are ""."""

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
    """Each once, in order."""

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
    """The same manuscript with other texts."""
    action = Action(label=texts["label"], url=texts["url"]) if manuscript.action else None
    return replace(manuscript, action=action, **{key: texts[key] for key in _TEXTS})


def read_manuscript(text: str, default_language: str) -> Manuscript:
    """Markdown after YAML front matter; ManuscriptRefused names the line of the first mistake."""
    text = _clean(text)
    front, body, body_line = split_front_matter(text)
    fields = read_front_matter(front).keys(KEYS)
    if "subject" not in fields:
        raise ManuscriptRefused("subject is missing", 1)
    holes: dict[Hole, None] = {}
    subject = _subject(fields["subject"], holes)
    lead = _text(fields.get("lead"), holes)
    manuscript = Manuscript(
        subject=subject,
        title=_one_line(fields.get("title"), holes) or subject,
        lead=lead,
        preheader=_text(fields.get("preheader"), holes) or lead,
        language=_language(fields.get("language"), default_language),
        template=_template(fields.get("template")),
        event=_event(fields.get("event")),
        action=_action(fields.get("action"), holes),
        closing=_text(fields.get("closing"), holes),
        source=_source(fields.get("source")),
        tags=_tags(fields.get("tags")),
        body=body,
        body_line=body_line,
        holes=tuple(holes | _body_holes(body, body_line)),
    )
    read_markdown(Marks.of(text, manuscript.holes).mark(body), body_line)
    return manuscript


def _clean(text: str) -> str:
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if unfit := _UNFIT.search(text):
        line = text.count("\n", 0, unfit.start()) + 1
        raise ManuscriptRefused(f"an invisible control character (U+{ord(unfit[0]):04X}) stands here", line)
    if len(text) > MOST_CHARACTERS:
        raise ManuscriptRefused(f"{len(text)} characters are too many for a letter; {MOST_CHARACTERS} is the most")
    return text


def _body_holes(body: str, line: int) -> dict[Hole, None]:
    if not body.strip():
        raise ManuscriptRefused("the letter has no text after its front matter", line)
    return dict.fromkeys(find_holes(body, line))


def _text(field: Field | None, holes: dict[Hole, None]) -> str:
    """A text that may have holes, which are added to `holes`."""
    if field is None:
        return ""
    text = field.text()
    holes.update(dict.fromkeys(find_holes(text, field.text_line)))
    return text


def _one_line(field: Field | None, holes: dict[Hole, None]) -> str:
    text = _text(field, holes)
    if field and "\n" in text:
        raise field.refuse("must be a single line")
    return text


def _plain(field: Field) -> str:
    """One line of text without holes."""
    holes: dict[Hole, None] = {}
    text = _one_line(field, holes)
    if holes:
        raise field.refuse("cannot have holes: it is the same for every reader")
    return text


def _subject(field: Field, holes: dict[Hole, None]) -> str:
    subject = _one_line(field, holes)
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


def _event(field: Field | None) -> Event | None:
    if field is None:
        return None
    parts = _complete(field, ("name", "place", "starts", "zone"))
    at = parts["zone"]
    try:
        zone = parse_zone(at.text())
        at = parts["starts"]
        starts_at = to_utc(parse_local_time(at.text()), zone).astimezone(zone)
    except MomentRefused as refusal:
        raise at.refuse(f"of the event: {refusal}") from None
    return Event(name=_plain(parts["name"]), place=_plain(parts["place"]), starts_at=starts_at, zone=zone.key)


def _action(field: Field | None, holes: dict[Hole, None]) -> Action | None:
    if field is None:
        return None
    parts = _complete(field, ("label", "url"))
    label, url = _one_line(parts["label"], holes), _one_line(parts["url"], holes)
    check_link(Marks.of(url, tuple(find_holes(url, field.line))).mark(url), parts["url"].line)
    return Action(label=label, url=url)


def _source(field: Field | None) -> Source | None:
    if field is None:
        return None
    if field.is_text:
        return Source(text=_plain(field), url=None)
    parts = _complete(field, ("text", "url"))
    return Source(text=_plain(parts["text"]), url=check_link(_plain(parts["url"]), parts["url"].line))


def _tags(field: Field | None) -> tuple[str, ...]:
    if field is None:
        return ()
    return tuple(tag for entry in field.items() if (tag := _plain(entry)))


def _complete(field: Field, names: tuple[str, ...]) -> dict[str, Field]:
    parts = field.keys(names)
    for name in names:
        if name not in parts:
            raise field.refuse(f"needs {name}")
    return parts
