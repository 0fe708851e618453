"""The texts of a manuscript, read one by one; their holes and scripts are looked at as they are met."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.dynamic_content import parse_dynamic_text
from mailer.mail.compose.front_matter import FrontMatterField
from mailer.mail.compose.merge_field import MergeField, find_merge_fields, has_dynamic_content

_CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def refuse_control_characters(text: str, first_line: int = 1) -> None:
    """ManuscriptRefused, with its line, for an invisible control character in `text`."""
    if found := _CONTROL_CHARACTERS.search(text):
        line = text.count("\n", 0, found.start()) + first_line
        raise CampaignFileRefused(f"an invisible control character (U+{ord(found[0]):04X}) stands here", line)


def read_fixed_line(field: FrontMatterField) -> str:
    """One line of text without holes."""
    reader = TextReader()
    text = reader.one_line(field)
    if reader.merge_fields or has_dynamic_content(text):
        raise field.error("cannot have holes: it is the same for every reader")
    return text


@dataclass(frozen=True, slots=True)
class TextReader:
    """Reads texts that may have holes or be scripts, and remembers what it met."""

    merge_fields: dict[MergeField, None] = field(default_factory=dict)
    """Those outside of scripts, each once."""
    lines: dict[str, int] = field(default_factory=dict)
    """The first line in the file of each text."""

    def text(self, field: FrontMatterField | None) -> str:
        """The words of a field, "" where it was left out; ManuscriptRefused for a mistake in it, with its line."""
        if field is None:
            return ""
        text = field.text()
        # YAML can spell what the file itself does not hold.
        refuse_control_characters(text, field.text_line)
        self._check_text(field.name, text, field.text_line)
        return text

    def one_line(self, field: FrontMatterField | None) -> str:
        """The same of a field that holds a single line."""
        text = self.text(field)
        if field and "\n" in text:
            raise field.error("must be a single line")
        return text

    def body(self, text: str, line: int) -> str:
        """The Markdown, as it is."""
        if not text.strip():
            raise CampaignFileRefused("the letter has no text after its front matter", line)
        self._check_text("body", text, line)
        return text

    def _check_text(self, name: str, text: str, line: int) -> None:
        self.lines[name] = line
        if has_dynamic_content(text):
            parse_dynamic_text(text, line)
        else:
            self.merge_fields.update(dict.fromkeys(find_merge_fields(text, line)))
