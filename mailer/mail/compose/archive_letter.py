"""A letter as the archive shows it: as a reader gets it of whom nothing is known, without any link of theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mailer.domain.event import Event
from mailer.domain.letters.archive import LetterSummary
from mailer.mail.compose.campaign_file import KEYS, mergeable_texts, parse_campaign_file
from mailer.mail.compose.campaign_file_fields import ContentSource, parse_language_field, parse_tags
from mailer.mail.compose.dynamic_content import parse_dynamic_text
from mailer.mail.compose.event_dates import EventDateText, format_event_date
from mailer.mail.compose.front_matter import normalize_line_ends, parse_front_matter, split_front_matter
from mailer.mail.compose.merge_field import EscapeContext, MergeField, Placeholders, Slot, escape_value
from mailer.mail.compose.sandbox import Evaluation
from mailer.mail.compose.templates import SOURCE_LANGUAGE
from mailer.mail.markdown.link import check_link
from mailer.mail.markdown.markdown import parse_markdown, render_html
from mailer.mail.markdown.plain_text import render_plain_text
from mailer.mail.markdown.web_html import clean_for_web, find_pictures

_DESCRIPTION_LENGTH = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveArticle:
    """One edition as a page shows it; every text is plain, but for `body`."""

    language: str
    title: str
    lead: str
    description: str
    """A sentence or two for those who link to it."""
    body: str
    """Clean HTML; its pictures have paths below the site's URL."""
    pictures: tuple[str, ...]
    """The paths of its pictures."""
    event: Event | None
    event_date: EventDateText | None
    action_label: str
    action_url: str
    """Empty where the letter asks for nothing."""
    closing: str
    source: ContentSource | None
    answers: ContentSource | None
    """What it answers; without a text where its title is to stand."""
    tags: tuple[str, ...]
    attachments: Mapping[str, str]
    """File names by their paths, below the site's URL; as in the path, unless the name that readers see is known."""


def compose_article(
    manuscript: str, default_language: str, words_in: str, segments: Mapping[str, str] | None = None
) -> ArchiveArticle:
    """The article of an edition's text; the event's date is in the language `words_in`, one that Babel knows.

    `segments` are the list's at the launch; with None nobody is in any. Raises CampaignFileRefused and
    LetterRenderFailed for a text that no letter can have.
    """
    written = parse_campaign_file(manuscript, default_language)
    plain = _DefaultTexts.of(mergeable_texts(written), written.lines, written.language, segments)
    tokens = parse_markdown(plain.marked["body"], written.body_line)
    body = clean_for_web(plain.fill(render_html(tokens), EscapeContext.HTML))
    lead, url = plain.text("lead"), plain.marked["url"].strip()
    return ArchiveArticle(
        language=written.language,
        title=plain.text("title") or plain.text("subject"),
        lead=lead,
        description=_shorten(lead or plain.text("preheader") or plain.fill(render_plain_text(tokens))),
        body=body,
        pictures=find_pictures(body),
        event=written.event,
        event_date=format_event_date(written.event, words_in) if written.event else None,
        action_label=plain.text("label"),
        action_url=plain.fill(check_link(url, written.lines.get("url", 1))) if url else "",
        closing=plain.text("closing"),
        source=written.source,
        answers=written.answers,
        tags=written.tags,
        attachments={path: path.rpartition("/")[2] for path in written.attachments},
    )


def summarize(manuscript: str, segments: Mapping[str, str] | None = None) -> LetterSummary:
    """Title, lead and tags of a text; only its front matter is read. Raises as `compose_article`."""
    fields = parse_front_matter(split_front_matter(normalize_line_ends(manuscript))[0]).keys(KEYS)
    texts = {name: fields[name].text() if name in fields else "" for name in ("subject", "title", "lead")}
    plain = _DefaultTexts.of(texts, {}, parse_language_field(fields.get("language"), SOURCE_LANGUAGE), segments)
    return LetterSummary(
        title=plain.text("title") or plain.text("subject"), lead=plain.text("lead"), tags=parse_tags(fields.get("tags"))
    )


@dataclass(frozen=True, slots=True)
class _DefaultTexts:
    """Texts as a reader gets them of whom nothing is known, with placeholders for the values that they show."""

    marked: Mapping[str, str]
    placeholders: Placeholders
    values: Sequence[str]

    @classmethod
    def of(
        cls,
        texts: Mapping[str, str],
        lines: Mapping[str, int],
        language: str,
        segments: Mapping[str, str] | None,
    ) -> _DefaultTexts:
        """Evaluate these texts in `language`, which begin on these lines of the file."""
        stem = repr(texts)
        evaluation = Evaluation(Placeholders.for_text(stem, ()), language)
        marked = {
            name: parse_dynamic_text(text, lines.get(name, 1), segments).evaluate({}, evaluation)
            if "{" in text
            else text
            for name, text in texts.items()
        }
        fields = tuple(MergeField(str(index), "") for index in range(len(evaluation.values)))
        return cls(marked, Placeholders.for_text(stem, fields), evaluation.values)

    def text(self, name: str) -> str:
        """One of the texts, plain."""
        return self.fill(self.marked[name]).strip()

    def fill(self, text: str, context: EscapeContext = EscapeContext.TEXT) -> str:
        """The values in place of their placeholders, escaped for where they stand."""
        return "".join(
            escape_value(self.values[int(piece.merge_field.name)], piece.context) if isinstance(piece, Slot) else piece
            for piece in self.placeholders.split_at_placeholders(text, context)
        )


def _shorten(text: str) -> str:
    """The text on one line, cut at a word."""
    line = " ".join(text.split())
    if len(line) <= _DESCRIPTION_LENGTH:
        return line
    cut = line[:_DESCRIPTION_LENGTH]
    return f"{cut[: cut.rfind(' ')] if ' ' in cut else cut}…"
