"""The text of a notice as paragraphs, parsed from its template; plain text and HTML are made from them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from mailer.mail.markdown.line_breaking import WIDTH, wrap

_FOOTER_MARK = "---"
_BUTTON = re.compile(r"\[(?P<label>.+)\]\((?P<target>https?://[^\s()]+)\)")
# Real addresses are in lower case; "LIST-join@" in the general help is an example and gets no link.
_LINKABLE = re.compile(
    r"https://[^\s\u00a0\u202f<>\"]*[\w/]|(?<![\w.+-])[a-z0-9][a-z0-9.+-]*@(?:[a-z0-9-]+\.)+[a-z]{2,}", re.ASCII
)
# Without no-break spaces, which French sets before "?" and ":" so that no line begins with them.
_WHITE_SPACE = re.compile(r"[^\S\u00a0\u202f]+")


class ParagraphStyle(StrEnum):
    """The kind of a paragraph."""

    TEXT = "text"
    QUOTE = "quote"
    """Text by others: a list's description."""
    ITEM = "item"
    BUTTON = "button"
    """A link shown as a button: what the notice asks its reader to do."""


_STYLE_SIGNS = {">": ParagraphStyle.QUOTE, "-": ParagraphStyle.ITEM}
_INDENTS = {ParagraphStyle.TEXT: ("", ""), ParagraphStyle.QUOTE: ("    ", "    "), ParagraphStyle.ITEM: ("- ", "  ")}


@dataclass(frozen=True, slots=True)
class TextRun:
    """A piece of a paragraph's text, with its link if it is one."""

    text: str
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph; a button has its label in `text` and its URL in `target`."""

    style: ParagraphStyle
    text: str
    target: str | None = None

    @property
    def runs(self) -> tuple[TextRun, ...]:
        """The text in pieces, so that each https link and each address is a piece of its own."""
        return tuple(_split_runs(self.text))


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeText:
    """The subject and the paragraphs of a notice."""

    subject: str
    body: tuple[Paragraph, ...]
    footer: tuple[Paragraph, ...]


def collapse_whitespace(text: str) -> str:
    """`text` with each run of white space made one space, so that it cannot begin a paragraph.

    No-break spaces stay.
    """
    return _WHITE_SPACE.sub(" ", text).strip()


def parse_notice_text(source: str) -> NoticeText:
    """The parsed output of a notice template: the first line is the subject, each other line a paragraph.

    Lines after "---" are the footer; empty lines are ignored. "  > " begins a quote, "  - " an item, and
    "  [label](link)" is a button. These are indented, and values never begin with a space, so no value can pose as one.
    """
    subject, *rest = filter(str.strip, source.split("\n"))
    cut = rest.index(_FOOTER_MARK) if _FOOTER_MARK in rest else len(rest)
    return NoticeText(
        subject=collapse_whitespace(subject),
        body=tuple(map(_parse_paragraph, rest[:cut])),
        footer=tuple(Paragraph(ParagraphStyle.TEXT, collapse_whitespace(line)) for line in rest[cut + 1 :]),
    )


def render_notice_as_text(notice_text: NoticeText) -> str:
    """The plain text with "\\n" line ends, in lines of at most 72 columns unless one word (a link) is longer."""
    text = ""
    before: Paragraph | None = None
    for paragraph in notice_text.body:
        if before is not None:
            text += "\n" if before.style is paragraph.style is ParagraphStyle.ITEM else "\n\n"
        text += _render_paragraph(paragraph)
        before = paragraph
    # "-- " alone on a line begins a signature, which mail programs leave out when quoting.
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
