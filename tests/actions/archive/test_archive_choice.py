"""What is in an archive is chosen: for a letter, and once for a list that has not chosen."""

from __future__ import annotations

import pytest

from mailer.actions.accounts.show_audit_log import audit_page
from mailer.actions.archive.archive_choice import choose_archive, set_archived
from mailer.actions.archive.archive_index import archive_index
from mailer.actions.archive.open_archive import open_public
from mailer.actions.lists.edit_list import set_list
from mailer.actions.lists.show_list import show_list
from mailer.app import App
from mailer.domain.accounts.audit import Act
from mailer.domain.mailing_list import ArchiveMode
from mailer.errors import ListDesignRefused, WrongState
from tests.support.app_helpers import ADMIN, EMMA, import_rows, launch_campaign, open_list, send_campaigns, text_of
from tests.support.fake_relay import FakeRelay


@pytest.fixture
async def campaign_id(app: App) -> int:
    """A letter that Emma got, of a list that has not chosen."""
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,en")
    campaign_id = await launch_campaign(app)
    await send_campaigns(app)
    return campaign_id


async def in_archive(app: App) -> list[int]:
    archive = await open_public(app, "appeals")
    return [one.campaign_id for one in (await archive_index(app, archive, "en")).entries]


async def test_a_letter_is_taken_out_of_the_archive_and_put_back(app: App, campaign_id: int) -> None:
    await set_list(app, ADMIN, "appeals", archive="public")
    url = f"https://lists.example.org/archive/appeals/{campaign_id}-letter"

    assert (await set_archived(app, ADMIN, campaign_id, False)).url is None
    assert await in_archive(app) == []
    assert (await set_archived(app, ADMIN, campaign_id, True)).url == url
    assert await in_archive(app) == [campaign_id]
    assert (await set_archived(app, ADMIN, campaign_id, None)).url == url
    acts = [line.act for line in (await audit_page(app, ADMIN)).items]
    assert acts.count(Act.ARCHIVE_CAMPAIGN) == 3


async def test_no_letter_is_put_into_the_archive_of_a_list_that_has_none(app: App, campaign_id: int) -> None:
    for mode in (None, "off"):
        await set_list(app, ADMIN, "appeals", archive=mode)
        with pytest.raises(WrongState, match="mailer list set appeals --archive public"):
            await set_archived(app, ADMIN, campaign_id, True)


async def test_the_first_choice_for_a_list_counts_and_a_later_one_of_an_old_page_does_not(
    app: App, campaign_id: int
) -> None:
    with pytest.raises(ListDesignRefused):
        await choose_archive(app, ADMIN, campaign_id, "everybody")
    await choose_archive(app, ADMIN, campaign_id, "off")
    await choose_archive(app, ADMIN, campaign_id, "public")

    assert (await show_list(app, ADMIN, "appeals")).mailing_list.archive is ArchiveMode.OFF


async def test_a_letter_keeps_the_link_of_its_launch_whatever_is_chosen_later(
    app: App, campaign_id: int, relay: FakeRelay
) -> None:
    await set_list(app, ADMIN, "appeals", archive="public")
    await import_rows(app, "rosa@example.org,Rosa,en")
    second = await launch_campaign(app, en="---\nsubject: Bread\n---\nBake.\n")
    await set_archived(app, ADMIN, second, False)
    await set_list(app, ADMIN, "appeals", archive="off")
    await send_campaigns(app)

    first, *others = map(text_of, relay.letters)
    assert "/archive/" not in first
    assert all(f"/archive/appeals/{second}-letter" in text for text in others)
