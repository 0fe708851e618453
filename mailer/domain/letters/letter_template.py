"""A template that organisers added: the HTML that their letters are poured into."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from mailer.errors import TemplateRefused

NAME = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
LONGEST_NAME = 40
_NAMED = re.compile(r"^template:[ \t]*([\"']?)([a-z0-9_-]+)\1[ \t]*(?:#.*)?$", re.MULTILINE)


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


def check_template_name(name: str, reserved: Collection[str]) -> str:
    """The name, if an organisers' template can have it. Raises TemplateRefused."""
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise TemplateRefused(
            f"{name!r} cannot be a template's name: it is at most {LONGEST_NAME} lower-case letters and digits, with "
            "single hyphens between them"
        )
    if name in reserved:
        raise TemplateRefused(f"{name!r} is a template of the house, which stays as it is; give yours another name")
    return name


def find_template_names(text: str) -> frozenset[str]:
    """The template that the front matter of a campaign's text names, if it names one."""
    return frozenset(match[2] for match in _NAMED.finditer(text))
