"""What is written in answer to a letter that asks, by people in ten languages and by machines: `replies.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path

_TEXTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))

AUTOMATIC: list[str] = _TEXTS["automatic"]
"""What machines write that do not say so."""
AGREE: dict[str, list[str]] = _TEXTS["agree"]
DECLINE: dict[str, list[str]] = _TEXTS["decline"]
"""Some for ever."""
ASK: dict[str, list[str]] = _TEXTS["ask"]
"""Neither agrees nor declines: questions, conditions, chatter."""
LEAVE: dict[str, list[str]] = _TEXTS["leave"]
"""In answer to a newsletter, by who wants to leave."""
FORWARD: dict[str, list[str]] = _TEXTS["carry"]
"""In answer to a newsletter, by who stays: for the owner."""
