"""The words of a notice, passage by passage: from one source come its plain text and its HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from mailer.mail.compose.line_breaking import WIDTH, wrap

_FOOTER_MARK = "---"
_BUTTON = re.compile(r"\[(?P<label>.+)\]\((?P<target>https?://[^\s()]+)\)")
# Our addresses are in lower case; LIST-join@ in the general help is none and becomes no link.
_LINKABLE = re.compile(
    r"https://[^\s\u00a0\u202f<>\"]*[\w/]|(?<![\w.+-])[a-z0-9][a-z0-9.+-]*@(?:[a-z0-9-]+\.)+[a-z]{2,}", re.ASCII
)
# French sets a no-break space before "?" and ":", lest a line begin with them.
_WHITE_SPACE = re.compile(r"[^\S\u00a0\u202f]+")


class ParagraphStyle(StrEnum):
    """What a passage is to its reader."""

    TEXT = "text"
    QUOTE = "quote"
    """Words that are not ours: a list's description."""
    ITEM = "item"
    BUTTON = "button"
    """The one thing the notice asks its reader to do."""


_STYLE_SIGNS = {">": ParagraphStyle.QUOTE, "-": ParagraphStyle.ITEM}
_INDENTS = {ParagraphStyle.TEXT: ("", ""), ParagraphStyle.QUOTE: ("    ", "    "), ParagraphStyle.ITEM: ("- ", "  ")}


@dataclass(frozen=True, slots=True)
class TextRun:
    """Words of a passage that are a link, or are none."""

    text: str
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; a button's `text` is its label and `target` where it leads."""

    style: ParagraphStyle
    text: str
    target: str | None = None

    @property
    def runs(self) -> tuple[TextRun, ...]:
        """The text cut where an https link or an address stands."""
        return tuple(_split_runs(self.text))


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeText:
    """What a notice says."""

    subject: str
    body: tuple[Paragraph, ...]
    footer: tuple[Paragraph, ...]


def collapse_whitespace(text: str) -> str:
    """`text` with every run of white space made one space, so that it cannot begin a passage of its own.

    No-break spaces stay inside it.
    """
    return _WHITE_SPACE.sub(" ", text).strip()


def parse_notice_text(source: str) -> NoticeText:
    """What a notice template gave: every line is a passage, the first one the subject, those after "---" the foot.

    Indented, "  > " sets a passage apart, "  - " makes it an item, and "  [words](link)" is a button: a value begins
    with no space, so it cannot pose as one of these. Empty lines mean nothing.
    """
    subject, *rest = filter(str.strip, source.split("\n"))
    cut = rest.index(_FOOTER_MARK) if _FOOTER_MARK in rest else len(rest)
    return NoticeText(
        subject=collapse_whitespace(subject),
        body=tuple(map(_parse_paragraph, rest[:cut])),
        footer=tuple(Paragraph(ParagraphStyle.TEXT, collapse_whitespace(line)) for line in rest[cut + 1 :]),
    )


def render_notice_as_text(notice_text: NoticeText) -> str:
    """The plain text, in lines of at most 72 columns where no longer word (a link) stands; "\\n" line ends."""
    text = ""
    before: Paragraph | None = None
    for passage in notice_text.body:
        if before is not None:
            text += "\n" if before.style is passage.style is ParagraphStyle.ITEM else "\n\n"
        text += _render_paragraph(passage)
        before = passage
    # "-- " alone is the signature mark: readers' programs leave what follows out of an answer.
    return f"{text}\n\n-- \n" + "\n".join(map(_render_paragraph, notice_text.footer)) + "\n"


def _parse_paragraph(line: str) -> Paragraph:
    text = collapse_whitespace(line)
    if not line.startswith("  "):
        return Paragraph(ParagraphStyle.TEXT, text)
    if button := _BUTTON.fullmatch(text):
        return Paragraph(ParagraphStyle.BUTTON, button["label"], button["target"])
    return Paragraph(_STYLE_SIGNS[text[0]], text[1:].lstrip())


def _render_paragraph(paragraph: Paragraph) -> str:
    if paragraph.style is ParagraphStyle.BUTTON:
        return wrap(f"{paragraph.text}:\n{paragraph.target}")
    first, later = _INDENTS[paragraph.style]
    lines = wrap(paragraph.text, WIDTH - len(later)).split("\n")
    return first + f"\n{later}".join(lines)


def _split_runs(text: str) -> Iterator[TextRun]:
    at = 0
    for match in _LINKABLE.finditer(text):
        if before := text[at : match.start()]:
            yield TextRun(before)
        found = match.group()
        yield TextRun(found, found if found.startswith("https://") else f"mailto:{found}")
        at = match.end()
    if rest := text[at:]:
        yield TextRun(rest)
