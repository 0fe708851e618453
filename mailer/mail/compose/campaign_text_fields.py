"""The texts of a manuscript, read one by one; their holes and scripts are looked at as they are met."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mailer.errors import ManuscriptRefused
from mailer.mail.compose.dynamic_content import read_script
from mailer.mail.compose.front_matter import Field
from mailer.mail.compose.merge_field import Hole, find_holes, is_script

_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def refuse_controls(text: str, first_line: int = 1) -> None:
    """ManuscriptRefused, with its line, for an invisible control character in `text`."""
    if unfit := _UNFIT.search(text):
        line = text.count("\n", 0, unfit.start()) + first_line
        raise ManuscriptRefused(f"an invisible control character (U+{ord(unfit[0]):04X}) stands here", line)


def plain(field: Field) -> str:
    """One line of text without holes."""
    reader = TextReader()
    text = reader.one_line(field)
    if reader.holes or is_script(text):
        raise field.refuse("cannot have holes: it is the same for every reader")
    return text


@dataclass(frozen=True, slots=True)
class TextReader:
    """Reads texts that may have holes or be scripts, and remembers what it met."""

    holes: dict[Hole, None] = field(default_factory=dict)
    """Those outside of scripts, each once."""
    lines: dict[str, int] = field(default_factory=dict)
    """The first line in the file of each text."""

    def text(self, field: Field | None) -> str:
        """The words of a field, "" where it was left out; ManuscriptRefused for a mistake in it, with its line."""
        if field is None:
            return ""
        text = field.text()
        # YAML can spell what the file itself does not hold.
        refuse_controls(text, field.text_line)
        self._look_at(field.name, text, field.text_line)
        return text

    def one_line(self, field: Field | None) -> str:
        """The same of a field that holds a single line."""
        text = self.text(field)
        if field and "\n" in text:
            raise field.refuse("must be a single line")
        return text

    def body(self, text: str, line: int) -> str:
        """The Markdown, as it is."""
        if not text.strip():
            raise ManuscriptRefused("the letter has no text after its front matter", line)
        self._look_at("body", text, line)
        return text

    def _look_at(self, name: str, text: str, line: int) -> None:
        self.lines[name] = line
        if is_script(text):
            read_script(text, line)
        else:
            self.holes.update(dict.fromkeys(find_holes(text, line)))
