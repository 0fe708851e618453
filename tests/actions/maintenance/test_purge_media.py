"""Purging pictures and attachments: what nothing names goes after a month, and what anything names never does."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from mailer.actions.campaigns.drafts import save_draft
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.schedule import send_now
from mailer.actions.campaigns.versions import list_versions
from mailer.actions.lists.media import add_media, all_media
from mailer.actions.lists.set_design import LogoFile, set_design
from mailer.actions.maintenance.purge import purge
from mailer.app import App
from tests.support.app_helpers import ADMIN, Clock, launch_campaign, open_list
from tests.support.media_samples import PDF, photo


async def _add(app: App, name: str = "programme.pdf", octets: bytes = PDF) -> str:
    return (await add_media(app, ADMIN, list_name="appeals", name=name, octets=octets)).path


async def _kept(app: App) -> set[str]:
    return {one.file.path for one in await all_media(app, ADMIN)}


def _text(path: str) -> str:
    return f"---\nsubject: Come\nattachments: [{path}]\n---\nCome all of you.\n"


async def test_a_file_that_nothing_names_is_deleted_after_a_month(app: App, clock: Clock) -> None:
    await open_list(app)
    path = await _add(app)

    clock.advance(days=29)
    early = (await purge(app))["media"]
    kept = await _kept(app)
    clock.advance(days=2)
    late = (await purge(app))["media"]

    assert (early, kept) == (0, {path})
    assert (late, await _kept(app)) == (1, set())


async def test_a_file_that_is_added_again_is_as_new(app: App, clock: Clock) -> None:
    await open_list(app)
    path = await _add(app)
    clock.advance(days=29)
    await _add(app)
    clock.advance(days=2)

    assert (await purge(app))["media"] == 0
    assert await _kept(app) == {path}


async def test_what_a_draft_a_version_a_letter_or_a_list_names_is_never_deleted(app: App, clock: Clock) -> None:
    await open_list(app)
    in_draft, in_version, sent, corrected = [await _add(app, f"{name}.pdf") for name in ("a", "b", "c", "d")]
    campaign = await new_campaign(app, ADMIN, list_name="appeals", texts={"en.md": _text(in_version)})
    clock.advance(hours=1)
    await save_draft(app, ADMIN, campaign, "en", version=0, text=_text(in_draft), keep=True)
    await launch_campaign(app, **{"en.md": _text(sent)})
    later = await new_campaign(app, ADMIN, list_name="appeals", texts={"en.md": _text(corrected)})
    await send_now(app, ADMIN, later, wait_s=3600)
    logo = (await set_design(app, ADMIN, "appeals", logo=LogoFile("logo.png", photo(60, 40, "PNG")))).logo
    unnamed = await _add(app, "unnamed.pdf")
    assert any(one.version == 0 for one in await list_versions(app, ADMIN, campaign, "en"))

    for _ in range(3):
        clock.advance(days=31)
        await purge(app)

    assert await _kept(app) == {in_draft, in_version, sent, corrected, logo}
    assert unnamed not in await _kept(app)


async def test_texts_are_read_once_a_month_and_not_each_hour(app: App, clock: Clock) -> None:
    await open_list(app)
    path = await _add(app)
    await new_campaign(app, ADMIN, list_name="appeals", texts={"en.md": _text(path)})
    searches: list[str] = []
    event.listen(
        app.database.engine,
        "before_cursor_execute",
        lambda *given: searches.append(given[2]) if "LIKE" in given[2] else None,
    )

    clock.advance(days=31)
    for _ in range(5):
        await purge(app)
        clock.advance(hours=2)

    assert 1 <= len(searches) <= 7
    assert await _kept(app) == {path}


@pytest.mark.parametrize("number", [0, 250])
async def test_many_files_go_over_several_hours(app: App, clock: Clock, number: int) -> None:
    await open_list(app)
    for one in range(number):
        await _add(app, f"{one}.txt", b"x")
    clock.advance(days=31)

    deleted = 0
    for _ in range(2):
        deleted += (await purge(app))["media"]
        clock.advance(hours=2)

    assert (deleted, await _kept(app)) == (number, set())
