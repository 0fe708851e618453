"""All items of a list that is read page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from mailer.domain.page import Page

T = TypeVar("T")


async def all_items(read_page: Callable[[str], Awaitable[Page[T]]]) -> AsyncIterator[T]:
    """Every item of a list, read page by page; `read_page` is given the cursor, "" for the first page."""
    cursor: str | None = ""
    while cursor is not None:
        page = await read_page(cursor)
        for item in page.items:
            yield item
        cursor = page.next_cursor
