"""Every POST of the console has a way back, a permission and a line in the audit log, and none acts without them."""

from __future__ import annotations

import pytest

from mailer.app import App
from mailer.domain.accounts.audit import AuditLine
from mailer.entrypoints.web.console.application import CONSOLE_ROUTES
from mailer.entrypoints.web.console.session_cookie import form_token
from mailer.entrypoints.web.console.session_guard import is_open
from mailer.store.accounts import audit_log
from tests.support.console_acts import CONSOLE_ACTS
from tests.support.console_helpers import ADA_OWNER, PEOPLE, Furniture, Person, http_browser, may
from tests.support.console_pages import View, example_path

POSTS = sorted({route.path for route in CONSOLE_ROUTES if "POST" in (route.methods or ())})
CLOSED = [path for path in POSTS if not is_open(path)]


def path_of(path: str, furniture: Furniture) -> str:
    act = CONSOLE_ACTS[path]
    return example_path(View(path, act.campaign, act.language, act.version), furniture.campaigns)


async def lines(house_app: App) -> list[AuditLine]:
    return list((await house_app.database.read(audit_log.list_page)).items)


def forms(path: str, furniture: Furniture, who: Person) -> dict[str, str]:
    act = CONSOLE_ACTS[path]
    return dict(act.fields) | {"form_token": form_token(furniture.words[who.name])}


def test_every_post_of_the_console_has_an_entry_and_each_entry_is_one() -> None:
    assert sorted(CONSOLE_ACTS) == POSTS, "add the POST routes that are missing to tests/support/console_acts.py"


@pytest.mark.parametrize("path", POSTS)
def test_nothing_is_destroyed_without_a_way_back_or_a_typed_number(path: str) -> None:
    kind, _, how = CONSOLE_ACTS[path].back.partition(": ")

    assert kind in {"undo", "typed", "harmless"}
    assert how
    assert kind == "harmless" or CONSOLE_ACTS[path].act is not None


@pytest.mark.parametrize("path", CLOSED)
async def test_no_form_acts_without_its_token(house_app: App, furniture: Furniture, path: str) -> None:
    before = await lines(house_app)

    async with http_browser(house_app, furniture, ADA_OWNER) as browser:
        for token in ({}, {"form_token": "0" * 32}):
            form = dict(CONSOLE_ACTS[path].fields) | token
            answer = await browser.post(path_of(path, furniture), data=form)
            assert answer.status_code == 403, answer.text

    assert await lines(house_app) == before


@pytest.mark.parametrize("path", CLOSED)
async def test_who_may_not_is_refused_and_who_may_leaves_a_line(
    house_app: App, furniture: Furniture, path: str
) -> None:
    act = CONSOLE_ACTS[path]
    before = await lines(house_app)

    for who in PEOPLE:
        if act.permission is not None and not may(who, act.permission):
            async with http_browser(house_app, furniture, who) as browser:
                refused = await browser.post(path_of(path, furniture), data=forms(path, furniture, who))
                assert refused.status_code == 403, (who.name, refused.text)
                assert await lines(house_app) == before, who.name
    async with http_browser(house_app, furniture, ADA_OWNER) as browser:
        done = await browser.post(path_of(path, furniture), data=forms(path, furniture, ADA_OWNER))

    assert done.status_code in {200, 303}, done.text
    assert "/console/sign-in?next=" not in done.headers.get("location", "")
    if act.act is not None:
        after = (await lines(house_app))[0]
        assert (after.act, after.actor, after.door) == (act.act, ADA_OWNER.address, "console")


@pytest.mark.parametrize("path", [path for path in CLOSED if CONSOLE_ACTS[path].back.startswith("typed: ")])
async def test_where_a_number_must_be_typed_another_one_changes_nothing(
    house_app: App, furniture: Furniture, path: str
) -> None:
    field = CONSOLE_ACTS[path].back.removeprefix("typed: ")
    before = await lines(house_app)

    async with http_browser(house_app, furniture, ADA_OWNER) as browser:
        for typed in ("", "0", "999999", "all"):
            form = forms(path, furniture, ADA_OWNER) | {field: typed}
            answer = await browser.post(path_of(path, furniture), data=form)
            assert answer.status_code < 500
            assert "done=" not in answer.headers.get("location", "")

    assert await lines(house_app) == before
