"""The form that a letter is written in: its fields as posted, and as shown again."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import FormData

from mailer.actions.campaigns.draft_view import DraftView
from mailer.mail.compose.letter_fields import FIELD_NAMES

FIXED = ("language",)
"""Fields that the form does not change: an edition keeps its language."""


def read_changes(form: FormData) -> tuple[dict[str, str] | None, str | None]:
    """What a posted form changes: (fields by name, None), or (None, the whole text) where fields cannot be read."""
    text = form.get("text")
    if isinstance(text, str):
        return None, text
    return {name: value for name in FIELD_NAMES if name not in FIXED and isinstance(value := form.get(name), str)}, None


def typed_fields(view: DraftView, form: FormData | None = None) -> Mapping[str, str] | None:
    """The values of the form's fields by name: as typed, else those of the draft.

    None where the front matter cannot be read: then the form has the whole text.
    """
    if view.fields is None:
        return None
    stored = {name: str(getattr(view.fields, name)) for name in FIELD_NAMES}
    return stored | (read_changes(form)[0] or {}) if form is not None else stored
