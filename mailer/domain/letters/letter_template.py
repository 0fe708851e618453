"""A template that organisers added: the HTML that their letters are poured into."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

NAME = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
LONGEST_NAME = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterTemplate:
    """One version of an organisers' template; it never changes, a new version is a new row."""

    id: int
    name: str
    source: str
    """As it was handed in: HTML or MJML, with Jinja2."""
    html: str
    """What letters are rendered with: HTML with Jinja2 in the sandbox's subset."""
    added_at: datetime
    added_by: str
