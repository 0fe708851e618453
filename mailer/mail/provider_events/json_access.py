"""Reading values from JSON whose structure is not known to be as documented."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from mailer.errors import ProviderCallUnreadable

_MAX_TEXT_LENGTH = 4000
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""Characters that a database cannot store as text."""


def read_json(body: bytes | str) -> Any:
    """The decoded value. Raises ProviderCallUnreadable for what is not JSON or is nested too deeply."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ProviderCallUnreadable("its body is not JSON") from None


def get_text(value: Any, most: int = _MAX_TEXT_LENGTH) -> str:
    """A string, stripped and cut to `most` characters; "" for any other value."""
    return _UNSTORABLE.sub("\ufffd", value[:most]).strip() if isinstance(value, str) else ""


def get_path(value: Any, *keys: str) -> Any:
    """The value at a path of keys; an empty object where a key is missing."""
    for key in keys:
        value = value.get(key, {}) if isinstance(value, dict) else {}
    return value


def iterate_objects(value: Any) -> Iterator[dict[str, Any]]:
    """The objects in a list, or a single object that stands in the place of a list."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            yield one


def parse_time(value: Any, now: datetime, *, milliseconds: bool = False) -> datetime:
    """Seconds since 1970 or ISO 8601 as an aware time, at most `now`; `now` where it is neither."""
    try:
        found = _parse_time(value, milliseconds)
    except (ValueError, OverflowError, OSError):
        return now
    return min(found, now)


def _parse_time(value: Any, milliseconds: bool) -> datetime:
    if isinstance(value, str) and not value.isdecimal():
        found = datetime.fromisoformat(value[:40])
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("not a time")
    seconds = float(value) / (1000 if milliseconds else 1)
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError("not a time")
    return datetime.fromtimestamp(seconds, UTC)
