"""The fields of a campaign file, as a form shows them: split from its text, and joined into it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache

import yaml

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.front_matter import (
    FrontMatterField,
    normalize_line_ends,
    parse_front_matter,
    split_front_matter,
)
from mailer.mail.compose.front_matter_edit import YAML_LINE_ENDS, Value, edit_front_matter, rewrite_front_matter

_FIELDS_BY_KEY: dict[str, dict[str, str]] = {
    "action": {"label": "action_label", "url": "action_url"},
    "event": {name: f"event_{name}" for name in ("name", "place", "starts", "ends", "zone")},
    "source": {"text": "source_text", "url": "source_url"},
    "answers": {"text": "answers_text", "url": "answers_url"},
}
"""The keys of the front matter that hold keys themselves, and the fields that these are."""
_PLAIN_FIELDS = {"source": "source_text", "answers": "answers_url"}
"""Of those keys that may also hold a text alone, the field that it is."""
_TEXT_KEYS = ("subject", "title", "lead", "preheader", "language", "template", "closing", "pictures", "calendar")
_LIST_KEYS = ("tags", "attachments")


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
    answers_text: str = ""
    answers_url: str = ""
    tags: str = ""
    """With commas between them."""
    attachments: str = ""
    """Paths with commas between them."""
    pictures: str = ""
    """hosted or inline."""
    calendar: str = ""
    """true or false."""
    template: str = ""
    language: str = ""
    body: str = ""
    """Markdown."""


FIELD_NAMES = tuple(field.name for field in fields(LetterFields))


def split_fields(text: str) -> LetterFields:
    """The fields of a campaign file, which may be unfinished.

    Raises CampaignFileRefused if its front matter cannot be read.
    """
    front_matter, body, _ = split_front_matter(normalize_line_ends(text))
    return LetterFields(**_split_front_matter_fields(front_matter), body=body)


@lru_cache(maxsize=256)
def _split_front_matter_fields(front_matter: str) -> Mapping[str, str]:
    # Kept, since it is the body that changes with most keys; YAML takes a few milliseconds.
    found = _known_fields(parse_front_matter(front_matter))
    values = {key: found[key].text() for key in _TEXT_KEYS if key in found}
    for key in _LIST_KEYS:
        if key in found:
            values[key] = _clean(key, ",".join(one.text() for one in found[key].items()))
    for key, names in _FIELDS_BY_KEY.items():
        if key in found and key in _PLAIN_FIELDS and found[key].is_text:
            values[_PLAIN_FIELDS[key]] = found[key].text()
        elif key in found:
            values |= {names[name]: one.text() for name, one in found[key].keys(tuple(names)).items()}
    return values


def fields_or_none(text: str) -> LetterFields | None:
    """The fields of a text; None if its front matter cannot be read."""
    try:
        return split_fields(text)
    except CampaignFileRefused:
        return None


def join_fields(text: str, changes: Mapping[str, str]) -> str:
    """The campaign file with these fields, by name, instead of its own; those that are not given, and comments, stay.

    Raises CampaignFileRefused if the front matter of `text` cannot be read.
    """
    text = normalize_line_ends(text)
    before = split_fields(text)
    cleaned = {name: _clean(name, changes[name]) for name in FIELD_NAMES if name in changes}
    # A form may only have changed a line's end: then the file keeps its own.
    after = replace(before, **{k: v for k, v in cleaned.items() if v != _clean(k, getattr(before, k))})
    if before == after:
        return text
    front_matter, _, body_line = split_front_matter(text)
    opening, *front_matter_lines, closing = text.split("\n")[: body_line - 1]
    wanted = _front_matter_values(after)
    changed = {key: value for key, value in wanted.items() if value != _front_matter_values(before)[key]}
    if not changed:
        return "\n".join([opening, *front_matter_lines, closing, after.body])
    # YAML counts more line ends than the file has, so that no line of its could be found by number.
    edited = [] if YAML_LINE_ENDS.search(front_matter) else edit_front_matter(front_matter, changed)
    joined = "\n".join([opening, *edited, closing, after.body])
    if not _splits_into(joined, after):
        joined = "\n".join([opening, *rewrite_front_matter(front_matter, wanted), closing, after.body])
    return joined


def is_untranslated(fields: LetterFields, default: LetterFields | None) -> bool:
    """Whether the body is still that of the default edition."""
    return default is not None and fields.body == default.body


def _known_fields(front_matter: FrontMatterField) -> dict[str, FrontMatterField]:
    """The fields that a letter has, without empty ones and without keys that no letter has."""
    keys = (*_TEXT_KEYS, *_FIELDS_BY_KEY, *_LIST_KEYS)
    if not isinstance(front_matter.node, yaml.MappingNode):
        return front_matter.keys(keys)  # which says what is wrong with it
    pairs = [(key, value) for key, value in front_matter.node.value if getattr(key, "value", None) in keys]
    known = yaml.MappingNode(front_matter.node.tag, pairs)
    return FrontMatterField(front_matter.name, known, front_matter.line).keys(keys)


def _front_matter_values(of: LetterFields) -> dict[str, Value]:
    """What the front matter holds for these fields, by key; empty for what is to be left out."""
    flat = asdict(of)
    values: dict[str, Value] = {key: flat[key] for key in _TEXT_KEYS}
    values |= {
        key: {name: flat[field] for name, field in names.items() if flat[field]}
        for key, names in _FIELDS_BY_KEY.items()
    }
    for key, name in _PLAIN_FIELDS.items():
        if flat[name] and not any(flat[other] for other in _FIELDS_BY_KEY[key].values() if other != name):
            values[key] = flat[name]
    for key in _LIST_KEYS:
        values[key] = [item for one in flat[key].split(",") if (item := one.strip())]
    return values


def _clean(name: str, value: str) -> str:
    value = value.replace("\r\n", "\n")
    if name in _LIST_KEYS:
        return ", ".join(tag for one in value.split(",") if (tag := one.strip()))
    return value if name == "body" else value.strip()


def _splits_into(text: str, wanted: LetterFields) -> bool:
    try:
        return split_fields(text) == wanted
    except Exception:
        return False
