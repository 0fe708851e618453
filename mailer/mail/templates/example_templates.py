"""Whole templates for organisers to begin with."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def read_example(*, is_mjml: bool = False) -> str:
    """A template in HTML or MJML that passes every check."""
    return Path(__file__).with_name("example.mjml" if is_mjml else "example.html").read_text(encoding="utf-8")
