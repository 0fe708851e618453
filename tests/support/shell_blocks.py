"""The shell blocks of README and docs, in the order in which a newcomer meets them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.support.app_helpers import ROOT

_FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+) -->\n)?```(?P<tag>[a-z]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block."""

    page: str
    """`docs/campaigns.md`."""
    tag: str
    text: str
    reason: str | None
    """Why no test runs it, as the page says in a comment above it."""


def pages() -> list[Path]:
    """README first, then the docs by name."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md"]


def blocks() -> list[Block]:
    """All fenced blocks."""
    return [
        Block(str(page.relative_to(ROOT)), found["tag"], found["text"], found["reason"])
        for page in pages()
        for found in _FENCE.finditer(page.read_text())
    ]
