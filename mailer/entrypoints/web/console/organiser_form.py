"""Fields that forms about organisers share: languages and time zones to choose from."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError
from starlette.datastructures import FormData
from starlette.requests import Request

from mailer.entrypoints.web.responses import get_app

_REGIONS = (
    "Africa",
    "America",
    "Antarctica",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)
_MOST_CHARACTERS = 320


def read_text_field(form: FormData, name: str) -> str:
    """The text of a field on one line, cut to what an address may have; empty where there is none."""
    value = form.get(name, "")
    return value.strip()[:_MOST_CHARACTERS] if isinstance(value, str) else ""


def read_number(form: FormData, name: str) -> int:
    """The whole number in a field; 0, which is no row's id, where there is none."""
    text = read_text_field(form, name)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def language_choices(request: Request, chosen: str = "") -> list[tuple[str, str]]:
    """The languages of letters and pages, and the chosen one, each with its name in itself."""
    tags = get_app(request).templates.languages
    return [(tag, language_name(tag)) for tag in (*tags, *([chosen] if chosen and chosen not in tags else []))]


def language_name(tag: str) -> str:
    """A language's name in itself; the tag where nobody has named it."""
    try:
        return Locale.parse(tag, sep="-").get_display_name(tag) or tag
    except (ValueError, UnknownLocaleError):
        return tag


@cache
def zone_names() -> tuple[str, ...]:
    """The names of places that people choose a time zone by, and UTC."""
    return ("UTC", *sorted(name for name in available_timezones() if name.partition("/")[0] in _REGIONS))
