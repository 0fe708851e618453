"""A page of a list: some items, and where the next page begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from mailer.errors import NotFound

T = TypeVar("T")

MAX_PAGE_SIZE = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a list, in its order."""

    items: tuple[T, ...]
    next_cursor: str | None
    """Give it as `after` to read the next page; None on the last page."""


def page_size(limit: int) -> int:
    """`limit`, but at least 1 and at most MAX_PAGE_SIZE."""
    return max(1, min(limit, MAX_PAGE_SIZE))


def make_page(found: Sequence[T], limit: int, cursor_of: Callable[[T], str]) -> Page[T]:
    """The page of what was found when one item more than `page_size(limit)` was looked for."""
    items = tuple(found[: page_size(limit)])
    return Page(items, cursor_of(items[-1]) if len(found) > len(items) else None)


def cursor_id(after: str) -> int:
    """The id that a cursor holds, where rows are paged by their id. Raises NotFound for what no page ever gave."""
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise NotFound("there is no such page; begin with the first")
    return int(after)
