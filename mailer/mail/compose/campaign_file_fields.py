"""The fields of a campaign file's front matter that are more than a text: each parsed and checked by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailer.domain.language import parse_language
from mailer.domain.letters.media import PATH
from mailer.mail.compose.campaign_text_fields import TextReader, read_fixed_line
from mailer.mail.compose.front_matter import FrontMatterField
from mailer.mail.compose.merge_field import (
    Placeholders,
    fill_with_fallbacks,
    find_merge_fields,
    has_dynamic_content,
)
from mailer.mail.markdown.link import check_link

LONGEST_SUBJECT = 150
DEFAULT_TEMPLATE = "appeal"
"""Of letters that name none."""
MOST_ATTACHMENTS = 10
_PICTURES = ("hosted", "inline")
_ANSWERS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
"""As YAML 1.1 has them."""
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


def parse_subject(field: FrontMatterField, reader: TextReader) -> str:
    """The subject, on one line. Raises CampaignFileRefused if it can be empty or is longer than LONGEST_SUBJECT."""
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


def parse_language_field(field: FrontMatterField | None, default: str) -> str:
    """The language tag. Raises CampaignFileRefused for what is none."""
    if field is None:
        return default
    language = parse_language(field.text())
    if language is None:
        raise field.error(f"must be a language tag like de or pt-br, not {field.text()!r}")
    return language


def parse_template(field: FrontMatterField | None) -> str:
    """The name of a template, which need not exist. Raises CampaignFileRefused for what cannot be one."""
    if field is None:
        return DEFAULT_TEMPLATE
    if not _TEMPLATE_NAME.fullmatch(field.text()):
        raise field.error("must be the name of a template, like appeal")
    return field.text()


def parse_action(field: FrontMatterField | None, reader: TextReader) -> CallToAction | None:
    """The call to action. Raises CampaignFileRefused if its label or url is missing, or for a bad link."""
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


def parse_source(field: FrontMatterField | None) -> ContentSource | None:
    """The source: a text, or a text and url. Raises CampaignFileRefused for anything else, or for a bad link."""
    if field is None:
        return None
    if field.is_text:
        return ContentSource(text=read_fixed_line(field), url=None)
    parts = field.require_keys(("text", "url"))
    return ContentSource(
        text=read_fixed_line(parts["text"]), url=check_link(read_fixed_line(parts["url"]), parts["url"].line)
    )


def parse_answers(field: FrontMatterField | None) -> ContentSource | None:
    """What the letter answers: a url, or a url and text. Raises CampaignFileRefused as `parse_source`."""
    if field is None:
        return None
    parts = {"url": field} if field.is_text else field.require_keys(("url",), ("text",))
    url = check_link(read_fixed_line(parts["url"]), parts["url"].line)
    if not url.startswith("https://"):
        raise parts["url"].error("must be the address of a page, beginning with https://")
    return ContentSource(text=read_fixed_line(parts["text"]) if "text" in parts else "", url=url)


def parse_tags(field: FrontMatterField | None) -> tuple[str, ...]:
    """The tags, without empty ones. Raises CampaignFileRefused for what is no list of texts."""
    if field is None:
        return ()
    return tuple(tag for entry in field.items() if (tag := read_fixed_line(entry)))


def parse_pictures(field: FrontMatterField | None, reader: TextReader) -> bool:
    """Whether pictures go along in the letter. Raises CampaignFileRefused for a word that is not hosted or inline."""
    if field is None:
        return False
    if field.text() not in _PICTURES:
        raise field.error("is `hosted` (letters show them from here) or `inline` (they go along in each letter)")
    reader.lines[field.name] = field.line
    return field.text() == _PICTURES[1]


def parse_attachments(field: FrontMatterField | None, reader: TextReader) -> tuple[str, ...]:
    """The paths of the attachments, each once. Raises CampaignFileRefused for what is none, and for too many."""
    if field is None:
        return ()
    reader.lines[field.name] = field.line
    paths = dict.fromkeys(_parse_media_path(entry) for entry in field.items())
    if len(paths) > MOST_ATTACHMENTS:
        raise field.error(f"are {len(paths)}; the most is {MOST_ATTACHMENTS}")
    return tuple(paths)


def parse_calendar(field: FrontMatterField | None, *, has_event: bool) -> bool:
    """Whether the event goes along for calendars. Raises CampaignFileRefused for what is neither true nor false."""
    if field is None:
        return False
    if (answer := _ANSWERS.get(field.text().lower())) is None:
        raise field.error("is true or false")
    if answer and not has_event:
        raise field.error("is true, and there is no event that could go along: add event, or leave this out")
    return answer


def _parse_media_path(field: FrontMatterField) -> str:
    if not PATH.fullmatch(field.text()):
        raise field.error(
            f"{field.text()!r} is not the path of a file that was added here, like /media/…/programme.pdf"
            " (mailer media add, or on the page); a file beside the campaign file is added by `campaign new`"
        )
    return field.text()
