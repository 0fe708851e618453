"""Which page each role is shown, and that nobody is shown any without signing in."""

from __future__ import annotations

import pytest

from mailer.app import App
from mailer.entrypoints.web.console.session_guard import is_open
from tests.support.console_helpers import PEOPLE, Furniture, Person, http_browser, may
from tests.support.console_pages import GETS, NEEDED, NOT_PAGES, example_path, views_of

CLOSED = [path for path in GETS if not is_open(path)]


def test_every_page_of_the_console_says_what_it_asks_for() -> None:
    assert sorted(NEEDED) == sorted(CLOSED), "add the pages that are missing to tests/support/console_pages.py"


@pytest.mark.parametrize("who", PEOPLE, ids=lambda one: one.name)
async def test_each_role_is_shown_the_pages_it_may_see_and_is_refused_the_others(
    house_app: App, furniture: Furniture, who: Person
) -> None:
    expected, found = {}, {}

    async with http_browser(house_app, furniture, who) as browser:
        for path in CLOSED:
            needed = NEEDED[path]
            expected[path] = "shown" if needed is None or may(who, needed) else "refused"
            is_page = path not in NOT_PAGES
            answer = await browser.get(example_path(views_of(path)[0], furniture.campaigns), follow_redirects=is_page)
            found[path] = {200: "shown", 303: "shown", 403: "refused"}.get(
                answer.status_code, f"{answer.status_code} {answer.text}"
            )

    assert found == expected


async def test_without_a_session_only_the_pages_to_sign_in_with_answer(house_app: App, furniture: Furniture) -> None:
    async with http_browser(house_app, furniture, None) as browser:
        for path in CLOSED:
            answer = await browser.get(example_path(views_of(path)[0], furniture.campaigns))

            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/console/sign-in?next="), path
            assert answer.text == "", path
