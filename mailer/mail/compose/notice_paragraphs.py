"""The words of a notice, passage by passage: from one source come its plain text and its HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from mailer.mail.compose.plain_text import WIDTH, wrap

_FOOT = "---"
_BUTTON = re.compile(r"\[(?P<label>.+)\]\((?P<target>https?://[^\s()]+)\)")
# Our addresses are in lower case; LIST-join@ in the general help is none and becomes no link.
_LINKABLE = re.compile(
    r"https://[^\s\u00a0\u202f<>\"]*[\w/]|(?<![\w.+-])[a-z0-9][a-z0-9.+-]*@(?:[a-z0-9-]+\.)+[a-z]{2,}", re.ASCII
)
# French sets a no-break space before "?" and ":", lest a line begin with them.
_SPACES = re.compile(r"[^\S\u00a0\u202f]+")


class Style(StrEnum):
    """What a passage is to its reader."""

    WORDS = "words"
    APART = "apart"
    """Words that are not ours: a list's description."""
    ITEM = "item"
    BUTTON = "button"
    """The one thing the notice asks its reader to do."""


_MARKS = {">": Style.APART, "-": Style.ITEM}
_INDENTS = {Style.WORDS: ("", ""), Style.APART: ("    ", "    "), Style.ITEM: ("- ", "  ")}


@dataclass(frozen=True, slots=True)
class Run:
    """Words of a passage that are a link, or are none."""

    text: str
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph; a button's `text` is its label and `target` where it leads."""

    style: Style
    text: str
    target: str | None = None

    @property
    def runs(self) -> tuple[Run, ...]:
        """The text cut where an https link or an address stands."""
        return tuple(_runs(self.text))


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeWords:
    """What a notice says."""

    subject: str
    body: tuple[Passage, ...]
    foot: tuple[Passage, ...]


def one_line(text: str) -> str:
    """`text` with every run of white space made one space, so that it cannot begin a passage of its own.

    No-break spaces stay inside it.
    """
    return _SPACES.sub(" ", text).strip()


def read_words(source: str) -> NoticeWords:
    """What a notice template gave: every line is a passage, the first one the subject, those after "---" the foot.

    Indented, "  > " sets a passage apart, "  - " makes it an item, and "  [words](link)" is a button: a value begins
    with no space, so it cannot pose as one of these. Empty lines mean nothing.
    """
    subject, *rest = filter(str.strip, source.split("\n"))
    cut = rest.index(_FOOT) if _FOOT in rest else len(rest)
    return NoticeWords(
        subject=one_line(subject),
        body=tuple(map(_read_passage, rest[:cut])),
        foot=tuple(Passage(Style.WORDS, one_line(line)) for line in rest[cut + 1 :]),
    )


def write_text(words: NoticeWords) -> str:
    """The plain text, in lines of at most 72 columns where no longer word (a link) stands; "\\n" line ends."""
    text = ""
    before: Passage | None = None
    for passage in words.body:
        if before is not None:
            text += "\n" if before.style is passage.style is Style.ITEM else "\n\n"
        text += _write_passage(passage)
        before = passage
    # "-- " alone is the signature mark: readers' programs leave what follows out of an answer.
    return f"{text}\n\n-- \n" + "\n".join(map(_write_passage, words.foot)) + "\n"


def _read_passage(line: str) -> Passage:
    text = one_line(line)
    if not line.startswith("  "):
        return Passage(Style.WORDS, text)
    if button := _BUTTON.fullmatch(text):
        return Passage(Style.BUTTON, button["label"], button["target"])
    return Passage(_MARKS[text[0]], text[1:].lstrip())


def _write_passage(passage: Passage) -> str:
    if passage.style is Style.BUTTON:
        return wrap(f"{passage.text}:\n{passage.target}")
    first, later = _INDENTS[passage.style]
    lines = wrap(passage.text, WIDTH - len(later)).split("\n")
    return first + f"\n{later}".join(lines)


def _runs(text: str) -> Iterator[Run]:
    at = 0
    for match in _LINKABLE.finditer(text):
        if before := text[at : match.start()]:
            yield Run(before)
        found = match.group()
        yield Run(found, found if found.startswith("https://") else f"mailto:{found}")
        at = match.end()
    if rest := text[at:]:
        yield Run(rest)
