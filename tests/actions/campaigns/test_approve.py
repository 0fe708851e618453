"""Approvals: another's, of these words only; and what was reviewed is what goes."""

from __future__ import annotations

import pytest

from mailer.actions.campaigns.approve import approve
from mailer.actions.campaigns.correct import correct, correct_from_drafts
from mailer.actions.campaigns.drafts import load_draft, new_letter, save_draft
from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.pause_resume_cancel import pause, resume
from mailer.actions.campaigns.report import campaign_status
from mailer.actions.campaigns.review import review
from mailer.actions.campaigns.schedule import Reviewed, schedule, send_now
from mailer.actions.lists.edit_list import set_list
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.campaign import CampaignState
from mailer.errors import CampaignFileRefused, NotPermitted, TimeRefused, WrongState
from mailer.store.accounts import audit_log
from tests.support.app_helpers import (
    ADA,
    ADMIN,
    BEA,
    EMMA,
    ROSA,
    import_rows,
    open_list,
    parse_letter,
    send_campaigns,
    text_of,
)
from tests.support.fake_relay import FakeRelay

HOUR = {"local_time": "2027-03-02T09:00", "zone": "Europe/Berlin"}
EVENT = {"event_name": "Forum", "event_starts": "2027-03-05T19:00", "event_zone": "Europe/Berlin"}
SAMIR = Actor(name=BEA, door=Door.CONSOLE, grants=(Grant(role=Role.SENDER),), organiser_id=3)
EMMA_WRITES = Actor(name=EMMA, door=Door.CONSOLE, grants=(Grant(role=Role.EDITOR),), organiser_id=4)
VERA = Actor(name=ADA, door=Door.CONSOLE, grants=(Grant(role=Role.VIEWER),), organiser_id=5)


@pytest.fixture
async def letter(app: App) -> int:
    """A finished letter of a list that asks for another's approval."""
    await open_list(app)
    await set_list(app, ADMIN, "appeals", needs_approval=True)
    await import_rows(app, f"{ROSA},Rosa,en")
    number = await new_letter(app, EMMA_WRITES, list_name="appeals")
    await _write(app, number, subject="Come", body="Dear {{ name or 'all' }}, come.")
    return number


async def _write(app: App, letter: int, **fields: str) -> None:
    version = (await load_draft(app, EMMA_WRITES, letter)).version
    await save_draft(app, EMMA_WRITES, letter, "en", version=version, fields=fields)


async def test_a_list_that_asks_for_two_is_sent_once_somebody_else_approved(app: App, letter: int) -> None:
    with pytest.raises(WrongState, match="somebody else than bea"):
        await schedule(app, SAMIR, letter, **HOUR)
    await approve(app, SAMIR, letter)
    with pytest.raises(WrongState, match="somebody else than bea"):
        await schedule(app, SAMIR, letter, **HOUR)
    assert (await review(app, SAMIR, letter)).is_approved is False
    assert (await review(app, ADMIN, letter)).is_approved is True

    await approve(app, EMMA_WRITES, letter)

    assert (await review(app, SAMIR, letter)).is_approved is True
    assert (await schedule(app, SAMIR, letter, **HOUR)).state is CampaignState.SCHEDULED


async def test_an_approval_is_void_once_a_text_changes(app: App, letter: int) -> None:
    await approve(app, EMMA_WRITES, letter)
    await _write(app, letter, lead="One more thing")

    shown = await review(app, SAMIR, letter)

    assert [(one.approved_by, one.is_valid) for one in shown.approvals] == [(EMMA, False)]
    with pytest.raises(WrongState, match="somebody else"):
        await schedule(app, SAMIR, letter, **HOUR)


async def test_who_only_reads_cannot_approve_nor_can_anybody_approve_a_text_with_an_error(
    app: App, letter: int
) -> None:
    with pytest.raises(NotPermitted):
        await approve(app, VERA, letter)
    await _write(app, letter, body="Dear {{ name }}")
    with pytest.raises(CampaignFileRefused):
        await approve(app, EMMA_WRITES, letter)


async def test_what_was_changed_after_it_was_looked_at_is_not_agreed_to(app: App, letter: int) -> None:
    seen = await review(app, EMMA_WRITES, letter)
    await _write(app, letter, lead="Changed meanwhile")

    with pytest.raises(WrongState, match="after you reviewed"):
        await approve(app, EMMA_WRITES, letter, reviewed=seen.digest)
    await approve(app, EMMA_WRITES, letter)
    with pytest.raises(WrongState, match="after you reviewed"):
        await schedule(app, SAMIR, letter, reviewed=Reviewed(digest=seen.digest, accepted=frozenset()), **HOUR)


async def test_each_warning_is_accepted_by_name_where_it_was_shown(app: App, letter: int) -> None:
    await _write(app, letter, body="TK ???")
    await approve(app, EMMA_WRITES, letter)
    seen = await review(app, SAMIR, letter)
    keys = [one.key for _, one in seen.warnings]

    with pytest.raises(WrongState, match="meant so"):
        await schedule(app, SAMIR, letter, reviewed=Reviewed(digest=seen.digest, accepted=frozenset(keys[:1])), **HOUR)
    await schedule(app, SAMIR, letter, reviewed=Reviewed(digest=seen.digest, accepted=frozenset(keys)), **HOUR)

    lines = [one for one in (await app.database.read(audit_log.list_page)).items if one.act == Act.ACCEPT_WARNING]
    assert [(one.actor, one.after) for one in lines] == [
        (BEA, {"warnings": ["en: unfinished", "en: unfinished"]}),
    ]


async def test_a_text_with_an_error_is_not_scheduled_and_an_hour_that_is_past_is_none(app: App, letter: int) -> None:
    await approve(app, EMMA_WRITES, letter)
    with pytest.raises(TimeRefused):
        await schedule(app, SAMIR, letter, local_time="2027-03-01T08:00", zone="Europe/Berlin")
    await _write(app, letter, body="[x](javascript:x)")
    with pytest.raises(CampaignFileRefused, match="en, line 5"):
        await schedule(app, SAMIR, letter, **HOUR)


async def test_the_event_of_the_drafts_is_the_campaigns_once_it_is_scheduled(app: App, letter: int) -> None:
    await _write(app, letter, **EVENT)
    await approve(app, EMMA_WRITES, letter)

    with pytest.raises(TimeRefused, match="has begun"):
        await schedule(app, SAMIR, letter, local_time="2027-03-05T19:00", zone="Europe/Berlin")
    scheduled = await schedule(app, SAMIR, letter, **HOUR)

    assert scheduled.event_starts_at is not None
    assert scheduled.event_starts_at.isoformat() == "2027-03-05T18:00:00+00:00"


async def test_a_paused_campaign_is_corrected_from_its_drafts_once_they_are_approved(
    app: App, relay: FakeRelay, letter: int
) -> None:
    await approve(app, EMMA_WRITES, letter)
    await send_now(app, SAMIR, letter, wait_s=0)
    await launch_due(app)
    await pause(app, SAMIR, letter)
    await _write(app, letter, subject="Come all", body="Mended.")
    assert (await review(app, SAMIR, letter)).texts_differ is True
    with pytest.raises(WrongState, match="somebody else"):
        await correct_from_drafts(app, SAMIR, letter)
    with pytest.raises(WrongState, match="without files"):
        await correct(app, SAMIR, letter, {"a.md": "---\nsubject: Come\n---\nHi\n"})
    await approve(app, EMMA_WRITES, letter)

    done = await correct_from_drafts(app, SAMIR, letter)
    again = await correct_from_drafts(app, SAMIR, letter)
    await resume(app, SAMIR, letter)
    await send_campaigns(app)

    assert (done.languages, again.languages, again.campaign.corrections) == (("en",), (), 1)
    [got] = relay.letters
    assert str(parse_letter(got)["Subject"]) == "Come all"
    assert "Mended." in text_of(got)


async def test_a_correction_cannot_move_the_event(app: App, letter: int) -> None:
    await _write(app, letter, **EVENT)
    await approve(app, EMMA_WRITES, letter)
    await send_now(app, SAMIR, letter, wait_s=0)
    await launch_due(app)
    await pause(app, SAMIR, letter)
    await _write(app, letter, event_starts="2027-03-06T19:00")

    shown = await review(app, SAMIR, letter)

    assert [(language, one.field) for language, one in shown.errors] == [("en", "event")]
    with pytest.raises(CampaignFileRefused, match="cannot move"):
        await correct_from_drafts(app, SAMIR, letter)


async def test_editing_a_paused_campaign_does_not_change_what_goes_when_it_is_resumed(
    app: App, relay: FakeRelay, letter: int
) -> None:
    await approve(app, EMMA_WRITES, letter)
    await send_now(app, SAMIR, letter, wait_s=0)
    await launch_due(app)
    await pause(app, SAMIR, letter)
    await _write(app, letter, body="Not reviewed.")
    await approve(app, EMMA_WRITES, letter)

    await resume(app, SAMIR, letter)
    await send_campaigns(app)

    assert "come." in text_of(relay.letters[0])
    assert (await campaign_status(app, ADMIN, letter)).campaign.corrections == 0
