"""Writing a letter: two who save at once both keep their text, nothing that was saved is lost, and roles hold."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select

from mailer.actions.campaigns.correct import correct
from mailer.actions.campaigns.draft_view import DraftView
from mailer.actions.campaigns.drafts import load_draft, new_letter, save_draft
from mailer.actions.campaigns.editions import add_edition
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.pause_resume_cancel import cancel
from mailer.actions.campaigns.report import campaign_status
from mailer.actions.campaigns.schedule import schedule, send_now
from mailer.actions.campaigns.show_source import show_source
from mailer.actions.campaigns.versions import list_versions, load_version
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.draft import EditionStatus
from mailer.errors import CampaignFileRefused, DraftChanged, NotFound, NotPermitted, WrongState
from mailer.store.accounts import audit_log
from mailer.store.writing import drafts
from mailer.store.writing.draft_tables import draft
from tests.support.app_helpers import ADMIN, APPEAL, EMMA, ROSA, Clock, import_rows, on_postgresql, open_list

TURKISH = APPEAL.replace("subject: Come to the harvest forum", "subject: Foruma gel\nlanguage: tr").replace("br", "g")


def _organiser(name: str, role: Role = Role.EDITOR, language: str | None = None) -> Actor:
    number = sum(name.encode())
    return Actor(
        name=f"{name}@example.org",
        door=Door.CONSOLE,
        grants=(Grant(role=role, language=language),),
        organiser_id=number,
    )


EMMA_WRITES, SAMIR = _organiser("emma"), _organiser("samir")
TUANA = _organiser("tuana", Role.TRANSLATOR, "tr")
VERA = _organiser("vera", Role.VIEWER)


@pytest.fixture
async def letter(app: App) -> int:
    """A new letter of Ada's list."""
    await open_list(app)
    return await new_letter(app, EMMA_WRITES, list_name="appeals")


async def _save(app: App, who: Actor, letter: int, version: int, **fields: str) -> DraftView:
    return await save_draft(app, who, letter, "en", version=version, fields=fields)


async def test_a_new_letter_is_one_empty_draft_in_the_language_of_its_list(app: App, letter: int) -> None:
    view = await load_draft(app, EMMA_WRITES, letter)

    assert (view.language, view.is_default, view.may_write) == ("en", True, True)
    assert view.fields is not None
    assert (view.fields.subject, view.fields.body.strip()) == ("", "")
    assert [one.status for one in view.editions] == [EditionStatus.EMPTY]


async def test_saving_fields_keeps_what_is_not_given_and_names_the_campaign(app: App, letter: int) -> None:
    first = await _save(app, EMMA_WRITES, letter, 1, subject="Come", body="Dear all,\r\ncome.")
    second = await _save(app, EMMA_WRITES, letter, first.version, lead="One evening")

    assert second.text == "---\nsubject: Come\nlanguage: en\nlead: One evening\n---\nDear all,\ncome."
    assert second.editions[0].status is EditionStatus.READY
    assert (await campaign_status(app, ADMIN, letter)).campaign.subject == "Come"


async def test_two_who_save_at_once_both_keep_their_text_and_the_second_is_told_by_name(
    app: App, letter: int, clock: Clock
) -> None:
    mine = await _save(app, EMMA_WRITES, letter, 1, subject="Come", body="by Emma")

    with pytest.raises(DraftChanged) as conflict:
        await _save(app, SAMIR, letter, 1, subject="Come", body="by Samir")

    assert (conflict.value.version, conflict.value.changed_by) == (mine.version, "emma@example.org")
    assert (await load_draft(app, SAMIR, letter)).text == mine.text
    [aside] = [one for one in await list_versions(app, SAMIR, letter, "en") if one.is_aside]
    assert aside.changed_by == "samir@example.org"
    assert "by Samir" in await load_version(app, SAMIR, letter, "en", aside.version)


@on_postgresql
async def test_of_many_saves_at_the_same_time_one_is_the_text_and_all_others_are_kept(app: App, letter: int) -> None:
    writers = [_organiser(f"writer{number}") for number in range(5)]

    results = await asyncio.gather(
        *(_save(app, who, letter, 1, body=f"by {who.name}") for who in writers), return_exceptions=True
    )

    assert [type(one) for one in results].count(DraftChanged) == 4
    versions = await list_versions(app, ADMIN, letter, "en")
    texts = {await load_version(app, ADMIN, letter, "en", one.version) for one in versions}
    assert {text.rpartition("\n")[2] for text in texts} == {"", *(f"by {who.name}" for who in writers)}


@on_postgresql
async def test_saving_correcting_and_scheduling_at_the_same_time_wait_for_each_other(app: App) -> None:
    await open_list(app)
    number = await new_campaign(app, ADMIN, list_name="appeals", texts={"a.md": APPEAL, "a.tr.md": TURKISH})
    await app.database.write(lambda tx: tx.execute(draft.delete()) and None)

    async def save(language: str, who: Actor) -> None:
        version = (await load_draft(app, who, number, language)).version
        with suppress(DraftChanged):
            await save_draft(app, who, number, language, version=version, fields={"lead": who.name})

    for _ in range(5):
        await asyncio.gather(
            *(save(language, who) for language in ("en", "tr") for who in (EMMA_WRITES, SAMIR)),
            correct(app, ADMIN, number, {"a.tr.md": TURKISH}),
            schedule(app, ADMIN, number, local_time="2027-03-02T09:00", zone="UTC"),
        )

    assert (await campaign_status(app, ADMIN, number)).campaign.scheduled_at is not None


async def test_a_conflict_does_not_make_the_first_ones_next_save_fail(app: App, letter: int) -> None:
    mine = await _save(app, EMMA_WRITES, letter, 1, body="by Emma")
    with pytest.raises(DraftChanged):
        await _save(app, SAMIR, letter, 1, body="by Samir")

    later = await _save(app, EMMA_WRITES, letter, mine.version, body="by Emma, too")

    assert later.fields is not None
    assert later.fields.body == "by Emma, too"
    kept = [await load_version(app, ADMIN, letter, "en", 3)]
    assert "by Samir" in kept[0]


async def test_a_browser_that_goes_on_saving_after_a_conflict_keeps_one_text_aside_the_last(
    app: App, letter: int
) -> None:
    await _save(app, EMMA_WRITES, letter, 1, body="by Emma")
    for text in ("by S", "by Sa", "by Samir"):
        with pytest.raises(DraftChanged):
            await _save(app, SAMIR, letter, 1, body=text)

    [aside] = [one for one in await list_versions(app, SAMIR, letter, "en") if one.is_aside]

    assert (await load_version(app, SAMIR, letter, "en", aside.version)).endswith("by Samir")


async def test_a_save_whose_answer_was_lost_may_be_sent_again(app: App, letter: int) -> None:
    first = await _save(app, EMMA_WRITES, letter, 1, body="Dear all")

    again = await _save(app, EMMA_WRITES, letter, 1, body="Dear all")

    assert again.version == first.version
    assert [one.is_aside for one in await list_versions(app, ADMIN, letter, "en")] == [False]


async def test_what_one_person_saves_within_five_minutes_is_one_version(app: App, letter: int, clock: Clock) -> None:
    version = 1
    for text, minutes in (("a", 0), ("ab", 1), ("abc", 3), ("abcd", 2), ("abcde", 1)):
        clock.advance(minutes=minutes)
        version = (await _save(app, EMMA_WRITES, letter, version, body=text)).version

    versions = await list_versions(app, ADMIN, letter, "en")

    bodies = [(await load_version(app, ADMIN, letter, "en", one.version)).rpartition("\n")[2] for one in versions]
    assert bodies == ["abcde", "abc"]
    lines = [one for one in await _audit(app) if one == Act.WRITE_CAMPAIGN]
    assert len(lines) == 1


async def test_another_persons_save_keeps_the_version_before_and_going_back_is_saving_it_again(
    app: App, letter: int
) -> None:
    first = await _save(app, EMMA_WRITES, letter, 1, body="by Emma")
    second = await _save(app, SAMIR, letter, first.version, body="by Samir")
    [_, before] = await list_versions(app, SAMIR, letter, "en")
    old = await load_version(app, SAMIR, letter, "en", before.version)

    back = await save_draft(app, SAMIR, letter, "en", version=second.version, text=old)

    assert (before.changed_by, back.text) == ("emma@example.org", first.text)
    with pytest.raises(NotFound):
        await load_version(app, SAMIR, letter, "en", 99)


async def test_a_text_without_readable_front_matter_is_kept_and_edited_as_a_whole(app: App, letter: int) -> None:
    broken = await save_draft(app, EMMA_WRITES, letter, "en", version=1, text="---\nsubject: [\n---\nHi")

    assert broken.fields is None
    assert broken.edition.status is EditionStatus.PROBLEMS
    with pytest.raises(CampaignFileRefused):
        await _save(app, EMMA_WRITES, letter, broken.version, subject="x")
    mended = await save_draft(app, EMMA_WRITES, letter, "en", version=broken.version, text="---\nsubject: x\n---\nHi")
    assert mended.fields is not None


async def test_what_no_database_takes_is_left_out_and_what_is_too_long_is_refused(app: App, letter: int) -> None:
    saved = await _save(app, EMMA_WRITES, letter, 1, body="a\0b\ud800c")

    assert saved.text.endswith("abc")
    with pytest.raises(CampaignFileRefused, match="too many"):
        await _save(app, EMMA_WRITES, letter, saved.version, body="x" * 100_001)


async def test_a_translator_writes_one_language_and_a_viewer_none(app: App) -> None:
    await open_list(app)
    number = await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": APPEAL, "appeal.tr.md": TURKISH})

    await save_draft(app, TUANA, number, "tr", version=0, fields={"lead": "Bir akşam"})

    assert (await load_draft(app, TUANA, number, "en")).may_write is False
    for who, language in ((TUANA, "en"), (VERA, "tr"), (VERA, "en")):
        with pytest.raises(NotPermitted):
            await save_draft(app, who, number, language, version=0, fields={"lead": "x"})
    with pytest.raises(NotPermitted):
        await new_letter(app, TUANA, list_name="appeals")


async def test_a_campaign_made_from_files_has_their_texts_as_drafts(app: App) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,tr", f"{EMMA},Emma,en", "leila@example.org,Leila,ar")
    number = await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": APPEAL, "appeal.tr.md": TURKISH})

    view = await load_draft(app, ADMIN, number, "tr")

    assert (view.text, view.version, view.changed_by) == (TURKISH, 0, ADMIN.name)
    assert [(one.language, one.status, one.readers, one.is_frozen) for one in view.editions] == [
        ("en", EditionStatus.READY, 2, True),
        ("tr", EditionStatus.READY, 1, True),
    ]
    assert view.missing == {"ar": 1}


async def test_a_campaign_of_an_older_version_has_its_newest_text_as_version_0(app: App) -> None:
    await open_list(app)
    number = await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": APPEAL})
    await app.database.write(lambda tx: tx.execute(draft.delete()) and None)

    before = await load_draft(app, ADMIN, number)
    after = await save_draft(app, ADMIN, number, "en", version=0, fields={"lead": "Another"})

    assert (before.version, before.text, before.changed_by) == (0, APPEAL, "")
    assert "lead: Another" in after.text
    assert await load_version(app, ADMIN, number, "en", 0) == APPEAL


async def test_a_scheduled_campaign_goes_with_the_text_it_was_scheduled_with(app: App, letter: int) -> None:
    await _save(app, EMMA_WRITES, letter, 1, subject="Come", body="as reviewed")
    await schedule(app, ADMIN, letter, local_time="2027-03-02T09:00", zone="UTC")
    before = await load_draft(app, EMMA_WRITES, letter)

    after = await _save(app, EMMA_WRITES, letter, before.version, subject="Changed", body="changed afterwards")

    assert (before.edition.is_frozen, after.edition.is_frozen) == (True, False)
    assert (await campaign_status(app, ADMIN, letter)).campaign.subject == "Come"
    [one] = await app.database.read(drafts.list_drafts, letter)
    assert one.frozen_text is not None
    assert "as reviewed" in one.frozen_text
    assert "changed afterwards" in (await show_source(app, ADMIN, letter))["en"]


async def test_nothing_is_written_once_a_campaign_is_over(app: App, letter: int) -> None:
    saved = await _save(app, EMMA_WRITES, letter, 1, subject="Come", body="Dear all")
    await send_now(app, ADMIN, letter, wait_s=30)
    await cancel(app, ADMIN, letter)

    assert (await load_draft(app, EMMA_WRITES, letter)).may_write is False
    with pytest.raises(WrongState):
        await _save(app, EMMA_WRITES, letter, saved.version, body="more")


async def test_what_was_written_is_in_no_line_of_the_audit_log(app: App, letter: int) -> None:
    await _save(app, EMMA_WRITES, letter, 1, subject="Wordsofaletter", body="Wordsofaletter")
    await add_edition(app, EMMA_WRITES, letter, "tr")

    page = await app.database.read(audit_log.list_page)

    assert "Wordsofaletter" not in repr(page.items)
    assert {one.actor for one in page.items} >= {"emma@example.org"}


async def test_unknown_campaigns_and_languages_are_not_found(app: App, letter: int) -> None:
    with pytest.raises(NotFound):
        await load_draft(app, ADMIN, letter, "sw")
    with pytest.raises(NotFound):
        await save_draft(app, ADMIN, letter, "sw", version=1, text="x")
    with pytest.raises(NotFound):
        await load_draft(app, ADMIN, 99)


async def test_a_draft_says_who_changed_it_and_when(app: App, letter: int, clock: Clock) -> None:
    clock.advance(hours=1)
    await _save(app, SAMIR, letter, 1, body="x")

    [at] = await app.database.read(_changed_at)

    view = await load_draft(app, ADMIN, letter)
    assert (view.changed_by, view.changed_at) == ("samir@example.org", clock.now)
    assert clock.now - at < timedelta(seconds=1)


def _changed_at(tx: Connection) -> list[datetime]:
    return list(tx.execute(select(draft.c.changed_at)).scalars())


async def _audit(app: App) -> list[str]:
    return [one.act for one in (await app.database.read(audit_log.list_page)).items]
