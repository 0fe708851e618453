"""Pages of a list, one after another, hold each item once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.page import Page, make_page, page_size
from mailer.store.pages import all_items

NUMBERS = range(1, 500)


def read(after: str, limit: int) -> Page[int]:
    found = [number for number in NUMBERS if number > int(after or 0)][: page_size(limit) + 1]
    return make_page(found, limit, str)


@given(limit=st.integers(-1, 600))
async def test_all_pages_together_are_the_list(limit: int) -> None:
    async def read_page(after: str) -> Page[int]:
        return read(after, limit)

    assert [number async for number in all_items(read_page)] == list(NUMBERS)
