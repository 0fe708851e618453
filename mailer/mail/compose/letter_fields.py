"""The fields of a campaign file, as a form shows them: split from its text, and joined into it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterFields:
    """Everything that a campaign file says, as plain texts; what it does not say is empty."""

    subject: str = ""
    preheader: str = ""
    title: str = ""
    lead: str = ""
    action_label: str = ""
    action_url: str = ""
    event_name: str = ""
    event_place: str = ""
    event_starts: str = ""
    event_ends: str = ""
    event_zone: str = ""
    closing: str = ""
    source_text: str = ""
    source_url: str = ""
    tags: str = ""
    """With commas between them."""
    template: str = ""
    language: str = ""
    body: str = ""
    """Markdown."""


def split_fields(text: str) -> LetterFields:
    """The fields of a campaign file, which may be unfinished.

    Raises CampaignFileRefused if its front matter cannot be read.
    """
    raise NotImplementedError


def join_fields(text: str, fields: Mapping[str, str]) -> str:
    """The campaign file with these fields instead of its own; those that are not given, and comments, stay.

    Raises CampaignFileRefused if the front matter of `text` cannot be read.
    """
    raise NotImplementedError
