"""Numbers and dates of dynamic content, written as is usual in the language of a letter."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_decimal

DATE_STYLES = ("short", "medium", "long", "full")
# en-150 (English in Europe): the day before the month, which nobody misreads.
_ENGLISH = Locale("en", "150")
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,10})?")
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ][0-9]{2}:[0-9]{2}.{0,20})?")


def parse_number(value: Any) -> Decimal | None:
    """The number that `value` is or spells, with a point, up to 15 digits before it; None for anything else."""
    text = str(value).strip()
    is_number = isinstance(value, str | int | float) and not isinstance(value, bool)
    return Decimal(text) if is_number and _NUMBER.fullmatch(text) else None


def parse_day(value: Any) -> date | None:
    """The day that an ISO 8601 date, with or without a time, spells; None for anything else."""
    match = _DAY.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def format_number(value: Any, language: str) -> Any:
    """1234.5 as `1.234,5` in German, with all its decimals; what is no number stays as it is."""
    number = parse_number(value)
    return value if number is None else format_decimal(number, locale=_locale(language), decimal_quantization=False)


def format_day(value: Any, language: str, style: str = "long") -> Any:
    """`2026-12-01` as `1. Dezember 2026` in German; `style` is one of DATE_STYLES. What is no date stays as it is."""
    day = parse_day(value)
    return value if day is None else str(format_date(day, style if style in DATE_STYLES else "long", _locale(language)))


LOCAL_FILTERS: dict[str, Callable[..., Any]] = {"number": format_number, "date": format_day}
"""By name; each takes the value and the letter's language tag, and may take more."""


@lru_cache(maxsize=128)
def _locale(language: str) -> Locale:
    """The locale of a language tag; of a longer tag that is not known that of its language, and else English."""
    for tag in (language, language.partition("-")[0]):
        if tag == "en":
            break
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return _ENGLISH
