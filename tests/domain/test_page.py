"""A page is bounded, and says where the next one begins."""

from __future__ import annotations

from mailer.domain.page import MAX_PAGE_SIZE, Page, make_page, page_size

NUMBERS = range(1, 500)


def read(after: str, limit: int) -> Page[int]:
    found = [number for number in NUMBERS if number > int(after or 0)][: page_size(limit) + 1]
    return make_page(found, limit, str)


def test_a_page_holds_at_most_200_items_and_the_last_one_has_no_cursor() -> None:
    assert [len(read("", limit).items) for limit in (0, 1, 200, 201)] == [1, 1, MAX_PAGE_SIZE, MAX_PAGE_SIZE]
    assert read("498", 1) == Page((499,), None)
    assert read("497", 1) == Page((498,), "498")
    assert read("499", 1) == Page((), None)
