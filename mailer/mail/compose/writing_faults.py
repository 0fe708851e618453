"""What is refused in a text that is handed in, though letters of it can be written: older ones are still shown."""

from __future__ import annotations

import re

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.front_matter import normalize_line_ends, split_front_matter
from mailer.mail.compose.merge_field import Placeholders, has_dynamic_content, list_merge_fields
from mailer.mail.foreign_fields.foreign_merge_fields import find_foreign_errors
from mailer.mail.markdown.markdown import find_links

_TAGS = re.compile(r"\{%(?:(?!%\}).)*%\}", re.DOTALL)
_EXPRESSIONS = re.compile(r"\{\{(?:(?!\}\}).)*\}\}", re.DOTALL)


def refuse_writing_faults(text: str) -> None:
    """Raise CampaignFileRefused, with the line, for the first merge field of another service in the file, or picture
    without a description in its body.
    """
    text = normalize_line_ends(text)
    _, body, body_line = split_front_matter(text)
    for fault in (*find_foreign_errors(text), *find_undescribed_pictures(body, body_line)):
        raise fault


def find_undescribed_pictures(body: str, first_line: int) -> list[CampaignFileRefused]:
    """One error for each picture of the body without a description, with its line."""
    reason = (
        "a picture without description: write ![what it shows](...) for readers who do not see it, "
        "or ![-](...) if it shows nothing"
    )
    return [
        CampaignFileRefused(reason, one.line)
        for one in find_links(markdown_of(body), first_line)
        if one.is_image and not one.text
    ]


def markdown_of(body: str) -> str:
    """The body with words in place of merge fields and expressions, and without conditions; each line where it was."""
    if not has_dynamic_content(body):
        return Placeholders.for_text(body, list_merge_fields(body)).insert_placeholders(body)
    without = _TAGS.sub(lambda match: "\n" * match[0].count("\n"), body)
    return _EXPRESSIONS.sub(lambda match: "value" + "\n" * match[0].count("\n"), without)
