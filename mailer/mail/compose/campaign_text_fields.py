"""Reads the texts of a campaign file one by one, and collects and checks their merge fields and dynamic content."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.dynamic_content import parse_dynamic_text
from mailer.mail.compose.front_matter import FrontMatterField
from mailer.mail.compose.merge_field import MergeField, find_merge_fields, has_dynamic_content
from mailer.mail.foreign_fields.foreign_merge_fields import find_foreign_errors

_CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def refuse_control_characters(text: str, first_line: int = 1) -> None:
    """Raise CampaignFileRefused, with the line, if `text` holds an invisible control character."""
    if found := _CONTROL_CHARACTERS.search(text):
        line = text.count("\n", 0, found.start()) + first_line
        raise CampaignFileRefused(
            f"an invisible control character (U+{ord(found[0]):04X}) stands here; remove it", line
        )


def read_fixed_line(field: FrontMatterField) -> str:
    """One line of text that is the same for every reader. Raises CampaignFileRefused if it has merge fields."""
    reader = TextReader()
    text = reader.one_line(field)
    if reader.merge_fields or has_dynamic_content(text):
        raise field.error("cannot have merge fields: it is the same for every reader")
    return text


@dataclass(frozen=True, slots=True)
class TextReader:
    """Reads texts that may have merge fields or dynamic content, and remembers what it found."""

    merge_fields: dict[MergeField, None] = field(default_factory=dict)
    """The merge fields of texts without dynamic content, each once, in order."""
    lines: dict[str, int] = field(default_factory=dict)
    """The line of the file on which each text begins, by name."""

    def text(self, field: FrontMatterField | None) -> str:
        """The text of a field, empty if it was left out. Raises CampaignFileRefused, with the line, for a mistake."""
        if field is None:
            return ""
        text = field.text()
        # YAML escapes can spell characters that the file itself does not hold.
        refuse_control_characters(text, field.text_line)
        self._check_text(field.name, text, field.text_line)
        return text

    def one_line(self, field: FrontMatterField | None) -> str:
        """The text of a field that must be a single line. Raises as `text`."""
        text = self.text(field)
        if field and "\n" in text:
            raise field.error("must be a single line")
        return text

    def body(self, text: str, line: int) -> str:
        """The Markdown, unchanged. Raises CampaignFileRefused if it is empty, or as `text`."""
        if not text.strip():
            raise CampaignFileRefused("the letter has no text; write it below the front matter", line)
        self._check_text("body", text, line)
        return text

    def _check_text(self, name: str, text: str, line: int) -> None:
        self.lines[name] = line
        try:
            if has_dynamic_content(text):
                parse_dynamic_text(text, line)
            else:
                self.merge_fields.update(dict.fromkeys(find_merge_fields(text, line)))
        except CampaignFileRefused as refusal:
            # What another service writes between braces is wrong here in many ways; the way to mend it is one.
            raise next(find_foreign_errors(text, line), refusal) from None
