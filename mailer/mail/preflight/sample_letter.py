"""SampleLetter: a letter as it would go to one person, decoded for the checks before the launch."""

from __future__ import annotations

import html
import re
from collections.abc import Collection
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property

from mailer.mail.message.letter import Letter

_HIDDEN = re.compile(r"<style\b.*?</style>|<!--.*?-->|<head\b.*?</head>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_SHORTEST_MASKED = 3


@dataclass(frozen=True)
class SampleLetter:
    """A letter, the values of its reader that it holds, and the views of it that the checks share."""

    letter: Letter
    values: frozenset[str] = frozenset()
    """What is known of its reader: no fault of the letter, whatever they wrote there."""

    @cached_property
    def message(self) -> EmailMessage:
        """The letter, parsed."""
        return message_from_bytes(self.letter.content, policy=policy.default)

    @cached_property
    def header(self) -> bytes:
        """The header, without the empty line after it."""
        return self.letter.content.partition(b"\r\n\r\n")[0]

    @cached_property
    def text(self) -> str:
        """The text part, "" if there is none."""
        return self._body("plain")

    @cached_property
    def html(self) -> str:
        """The HTML part, "" if there is none."""
        return self._body("html")

    @cached_property
    def shown_html(self) -> str:
        """The words that the HTML shows, white space as it stands there."""
        return html.unescape(_TAG.sub(" ", _HIDDEN.sub("", self.html)))

    @cached_property
    def subject(self) -> str:
        """The subject, decoded."""
        return self.field("Subject")

    def field(self, name: str) -> str:
        """The value of a header field, "" if there is none."""
        return str(self.message.get(name, ""))

    def count(self, name: str) -> int:
        """How often a header field occurs."""
        return len(self.message.get_all(name, []))

    @cached_property
    def attachments(self) -> tuple[EmailMessage, ...]:
        """The attached files."""
        return tuple(part for part in self.message.walk() if part.get_content_disposition() == "attachment")

    def without_values(self, text: str) -> str:
        """The text without what its reader wrote."""
        return mask_values(text, self.values)

    def _body(self, subtype: str) -> str:
        part = self.message.get_body((subtype,))
        return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""


def mask_values(text: str, values: Collection[str]) -> str:
    """The text with an `x` in place of each value, the longest first, escaped for HTML or not."""
    for value in sorted(values, key=len, reverse=True):
        if len(value) >= _SHORTEST_MASKED:
            text = text.replace(html.escape(value), "x").replace(value, "x")
    return text
