"""Editions: added with the default's text, said to be up to date by a person, removed before the launch."""

from __future__ import annotations

import pytest

from mailer.actions.campaigns.again import again
from mailer.actions.campaigns.correct import correct
from mailer.actions.campaigns.drafts import load_draft, new_letter, save_draft
from mailer.actions.campaigns.editions import add_edition, mark_up_to_date, remove_edition
from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.pause_resume_cancel import pause
from mailer.actions.campaigns.report import campaign_status
from mailer.actions.campaigns.review import review
from mailer.actions.campaigns.schedule import schedule, send_now
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.campaign import CampaignState
from mailer.domain.draft import EditionStatus
from mailer.errors import CampaignFileRefused, NotFound, NotPermitted, WrongState
from mailer.mail.compose.problem import Rule
from tests.support.app_helpers import ADMIN, APPEAL, EMMA, ROSA, import_rows, open_list

TUANA = Actor(
    name="tuana@example.org",
    door=Door.CONSOLE,
    grants=(Grant(role=Role.TRANSLATOR, language="tr"),),
    organiser_id=9,
)


@pytest.fixture
async def letter(app: App) -> int:
    """A letter in English and Turkish that has been written in both."""
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,tr", f"{EMMA},Emma,en", "jose@example.org,José,pt-br")
    number = await new_letter(app, ADMIN, list_name="appeals")
    await save_draft(app, ADMIN, number, "en", version=1, fields={"subject": "Come", "body": "Dear all", "tags": "a"})
    assert await add_edition(app, TUANA, number, "TR") == "tr"
    return number


async def _status(app: App, letter: int) -> dict[str, EditionStatus]:
    return {one.language: one.status for one in (await load_draft(app, ADMIN, letter)).editions}


async def _translate(app: App, letter: int, **fields: str) -> None:
    version = (await load_draft(app, TUANA, letter, "tr")).version
    await save_draft(app, TUANA, letter, "tr", version=version, fields={"subject": "Gel", "body": "Merhaba"} | fields)


async def test_an_edition_begins_with_the_default_ones_text_and_is_empty_until_it_is_translated(
    app: App, letter: int
) -> None:
    added = await load_draft(app, TUANA, letter, "tr")
    before, doubts = await _status(app, letter), (await review(app, ADMIN, letter)).warnings
    await _translate(app, letter)

    assert [(language, one.rule) for language, one in doubts] == [("tr", Rule.UNTRANSLATED)]
    assert added.text == "---\nsubject: Come\nlanguage: tr\ntags: [a]\n---\nDear all"
    assert before == {"en": EditionStatus.READY, "tr": EditionStatus.EMPTY}
    assert await _status(app, letter) == {"en": EditionStatus.READY, "tr": EditionStatus.READY}


async def test_a_new_subject_alone_is_no_translation(app: App, letter: int) -> None:
    await _translate(app, letter, body="Dear all")

    doubts = (await review(app, ADMIN, letter)).warnings

    assert [(language, one.rule) for language, one in doubts] == [("tr", Rule.UNTRANSLATED)]
    assert (await _status(app, letter))["tr"] is EditionStatus.EMPTY


async def test_it_is_stale_when_the_default_one_changes_until_somebody_says_it_is_up_to_date(
    app: App, letter: int
) -> None:
    await _translate(app, letter)
    english = await load_draft(app, ADMIN, letter)
    await save_draft(app, ADMIN, letter, "en", version=english.version, fields={"lead": "New"})
    stale = await _status(app, letter)
    await _translate(app, letter, lead="Yeni")
    still = await _status(app, letter)

    await mark_up_to_date(app, TUANA, letter, "tr")
    await mark_up_to_date(app, TUANA, letter, "tr")

    assert (stale["tr"], still["tr"]) == (EditionStatus.STALE, EditionStatus.STALE)
    assert (await _status(app, letter))["tr"] is EditionStatus.READY


async def test_readers_are_counted_for_the_edition_they_would_get(app: App, letter: int) -> None:
    view = await load_draft(app, ADMIN, letter)
    await add_edition(app, ADMIN, letter, "pt")
    with_portuguese = await load_draft(app, ADMIN, letter)

    assert ([one.readers for one in view.editions], view.missing) == ([2, 1], {"pt-br": 1})
    assert ([one.readers for one in with_portuguese.editions], with_portuguese.missing) == ([1, 1, 1], {})


async def test_a_removed_edition_is_gone_and_the_default_one_stays(app: App, letter: int) -> None:
    await remove_edition(app, ADMIN, letter, "tr")

    assert await _status(app, letter) == {"en": EditionStatus.READY}
    with pytest.raises(WrongState, match="default"):
        await remove_edition(app, ADMIN, letter, "en")
    with pytest.raises(NotFound):
        await remove_edition(app, ADMIN, letter, "tr")


async def test_who_translates_adds_her_own_language_and_removes_none(app: App, letter: int) -> None:
    with pytest.raises(NotPermitted):
        await add_edition(app, TUANA, letter, "de")
    with pytest.raises(NotPermitted):
        await remove_edition(app, TUANA, letter, "tr")


@pytest.mark.parametrize("language", ["", "english", "e", "de.po", "x" * 40])
async def test_what_is_no_language_tag_is_refused(app: App, letter: int, language: str) -> None:
    with pytest.raises(CampaignFileRefused, match="language tag"):
        await add_edition(app, ADMIN, letter, language)


async def test_editions_are_added_and_removed_before_the_launch_only(app: App, letter: int) -> None:
    await _translate(app, letter)
    with pytest.raises(WrongState, match="already"):
        await add_edition(app, ADMIN, letter, "tr")
    await send_now(app, ADMIN, letter, wait_s=0)
    await launch_due(app)

    with pytest.raises(WrongState):
        await add_edition(app, ADMIN, letter, "de")
    with pytest.raises(WrongState):
        await remove_edition(app, ADMIN, letter, "tr")


async def test_a_correction_by_file_changes_the_draft_and_makes_the_others_stale(app: App, letter: int) -> None:
    await _translate(app, letter)
    text = "---\nsubject: Come all\nlanguage: en\n---\nDear all, come.\n"

    await correct(app, ADMIN, letter, {"a.md": text})

    view = await load_draft(app, ADMIN, letter)
    assert (view.text, view.edition.is_frozen) == (text, True)
    assert (await _status(app, letter))["tr"] is EditionStatus.STALE


async def test_a_correction_by_file_of_a_paused_campaign_leaves_other_drafts_alone(app: App, letter: int) -> None:
    await _translate(app, letter)
    await send_now(app, ADMIN, letter, wait_s=0)
    await launch_due(app)
    await pause(app, ADMIN, letter)
    await _translate(app, letter, lead="Daha bitmedi")

    await correct(app, ADMIN, letter, {"a.md": "---\nsubject: Come all\nlanguage: en\n---\nDear all.\n"})

    editions = (await load_draft(app, ADMIN, letter)).editions
    assert [(one.language, one.is_frozen) for one in editions] == [("en", True), ("tr", False)]


async def test_again_is_a_draft_with_the_same_texts_and_the_hour_of_a_week_later(app: App, letter: int) -> None:
    await _translate(app, letter)
    await schedule(app, ADMIN, letter, local_time="2027-03-02T09:00", zone="Europe/Berlin")

    number = await again(app, ADMIN, letter)

    made = (await campaign_status(app, ADMIN, number)).campaign
    assert (made.state, made.subject, made.scheduled_at) == (CampaignState.DRAFT, "Come", None)
    assert (made.local_time, made.zone) == ("2027-03-09T09:00:00", "Europe/Berlin")
    for language in ("en", "tr"):
        own, new = await load_draft(app, ADMIN, letter, language), await load_draft(app, ADMIN, number, language)
        assert (own.text, own.is_default) == (new.text, new.is_default)
    with pytest.raises(NotPermitted):
        await again(app, TUANA, letter)


async def test_again_of_a_campaign_made_from_files_has_their_texts(app: App, letter: int) -> None:
    await correct(app, ADMIN, letter, {"a.md": APPEAL})

    number = await again(app, ADMIN, letter)

    assert (await load_draft(app, ADMIN, number)).text == APPEAL
