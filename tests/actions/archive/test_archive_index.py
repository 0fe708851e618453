"""Which letters an archive has, and what it tells of them."""

from __future__ import annotations

import pytest

from mailer.actions.archive.archive_index import ArchiveIndex, archive_index
from mailer.actions.archive.archive_page import archive_page
from mailer.actions.archive.open_archive import OpenArchive, open_public
from mailer.actions.campaigns.correct import correct
from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.pause_resume_cancel import cancel, pause, resume
from mailer.actions.lists.edit_list import set_list
from mailer.app import App
from mailer.domain.campaign import CampaignState
from mailer.errors import NotFound
from mailer.store import campaigns
from tests.support.app_helpers import ADMIN, EMMA, ROSA, Clock, import_rows, launch_campaign, open_list, send_campaigns


def letter(subject: str, **more: str) -> str:
    lines = "".join(f"{name}: {value}\n" for name, value in more.items())
    return f"---\nsubject: {subject}\n{lines}---\n{subject} it is.\n"


@pytest.fixture
async def archive(app: App) -> OpenArchive:
    """Ada's public list, with Emma and Rosa on it."""
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,en", f"{ROSA},Rosa,tr")
    await set_list(app, ADMIN, "appeals", archive="public")
    return await open_public(app, "appeals")


def titles(index: ArchiveIndex) -> list[str]:
    return [one.title for one in index.entries]


async def test_only_letters_that_were_sent_are_in_it_the_newest_first(
    app: App, archive: OpenArchive, clock: Clock
) -> None:
    for subject in ("Seeds", "Bread"):
        await launch_campaign(app, en=letter(subject))
        await send_campaigns(app)
        clock.advance(minutes=1)
    await new_campaign(app, ADMIN, list_name="appeals", texts={"en.md": letter("Draft")})
    for subject in ("Paused before the first", "Called off"):
        campaign_id = await launch_campaign(app, en=letter(subject))
        await pause(app, ADMIN, campaign_id)
    await cancel(app, ADMIN, campaign_id)

    assert titles(await archive_index(app, archive, "en")) == ["Bread", "Seeds"]
    with pytest.raises(NotFound):
        await archive_page(app, archive, campaign_id, None)


async def test_a_letter_that_some_have_got_stays_while_it_is_paused(app: App, archive: OpenArchive) -> None:
    campaign_id = await launch_campaign(app, en=letter("Seeds"))
    await send_campaigns(app)
    await app.database.write(
        campaigns.change_state, campaign_id, CampaignState.PAUSED, from_states=(CampaignState.SENT,)
    )

    assert titles(await archive_index(app, archive, "en")) == ["Seeds"]


async def test_a_corrected_letter_is_shown_with_its_new_text(app: App, archive: OpenArchive) -> None:
    campaign_id = await launch_campaign(app, en=letter("Sedes"))
    await pause(app, ADMIN, campaign_id)
    await correct(app, ADMIN, campaign_id, {"en.md": letter("Seeds")})
    await resume(app, ADMIN, campaign_id)
    await launch_due(app)
    await send_campaigns(app)

    page = await archive_page(app, archive, campaign_id, None)

    assert page.name == f"{campaign_id}-seeds"
    assert page.article.body == "<p>Seeds it is.</p>\n"


async def test_an_edition_that_was_not_sent_is_not_shown(app: App, archive: OpenArchive) -> None:
    campaign_id = await launch_campaign(app, en=letter("Seeds"), tr=letter("Tohumlar", language="tr"))
    await send_campaigns(app)
    await app.database.write(
        campaigns.change_state, campaign_id, CampaignState.SENT, from_states=(CampaignState.SENT,), languages=["tr"]
    )

    page = await archive_page(app, archive, campaign_id, None)

    assert page.editions == {"tr": f"{campaign_id}-tohumlar"}
    assert titles(await archive_index(app, archive, "en")) == ["Tohumlar"]


async def test_a_year_is_that_of_the_lists_own_clock(app: App, archive: OpenArchive, clock: Clock) -> None:
    clock.now = clock.now.replace(month=12, day=31, hour=23, minute=30)
    await launch_campaign(app, en=letter("Seeds"))
    await send_campaigns(app)
    await set_list(app, ADMIN, "appeals", zone="Europe/Berlin")
    archive = await open_public(app, "appeals")

    assert (await archive_index(app, archive, "en")).years == (2028,)
    assert titles(await archive_index(app, archive, "en", year=2028)) == ["Seeds"]
    with pytest.raises(NotFound):
        await archive_index(app, archive, "en", year=2027)


async def test_titles_and_leads_have_their_merge_fields_at_their_default(app: App, archive: OpenArchive) -> None:
    await launch_campaign(
        app,
        en=letter(
            "'{% if city == \"Izmir\" %}Izmir{% else %}Everybody{% endif %}, come'", lead="'For {{ name or \"you\" }}.'"
        ),
    )
    await send_campaigns(app)

    (entry,) = (await archive_index(app, archive, "en")).entries

    assert (entry.title, entry.lead, entry.name) == ("Everybody, come", "For you.", "1-everybody-come")
