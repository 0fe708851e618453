"""What the pages of an archive read from the request, and what their templates call."""

from __future__ import annotations

from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from starlette.requests import Request

from mailer.domain.language import text_direction
from mailer.errors import NotFound

_LONGEST_CURSOR = 18


def archive_cursor(request: Request) -> int | None:
    """The letter after which an index goes on; None for the first page. Raises NotFound for what is none."""
    given = request.query_params.get("before")
    if given is None:
        return None
    if not (given.isascii() and given.isdigit() and len(given) <= _LONGEST_CURSOR):
        raise NotFound("there is no such page; begin with the first")
    return int(given)


def page_formats(language: str) -> dict[str, Any]:
    """The functions that templates of the archive call: long_date, language_name, text_direction."""
    # English as in Europe, like the dates of letters: the day before the month.
    locale = Locale("en", "150") if language == "en" else Locale.parse(language, sep="-")
    return {
        "long_date": lambda day: format_date(day, "long", locale=locale),
        "language_name": _language_name,
        "text_direction": text_direction,
    }


def _language_name(tag: str) -> str:
    """The name of a language in itself, or its tag."""
    try:
        return Locale.parse(tag, sep="-").get_display_name() or tag
    except (ValueError, UnknownLocaleError):
        return tag
