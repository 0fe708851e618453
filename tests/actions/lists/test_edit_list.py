"""Segments of a list: kept, told in the audit log, and used by its letters."""

from __future__ import annotations

import pytest

from mailer.actions.accounts.show_audit_log import audit_page
from mailer.actions.campaigns.checked_drafts import check_drafts
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.schedule import send_now
from mailer.actions.lists.edit_list import set_list
from mailer.actions.lists.show_list import show_list
from mailer.app import App
from mailer.domain.accounts.role import Permission
from mailer.errors import CampaignFileRefused, ListDesignRefused
from tests.support.app_helpers import (
    ADMIN,
    EMMA,
    ROSA,
    import_rows,
    launch_campaign,
    open_list,
    send_campaigns,
    text_of,
)
from tests.support.fake_relay import FakeRelay

TEXT = "---\nsubject: Tea\n---\n{% if segment.rosas %}\nFor Rosa alone.\n{% else %}\nFor all others.\n{% endif %}\n"


async def test_segments_are_changed_one_by_one_and_told_in_the_audit_log(app: App) -> None:
    await open_list(app)
    await set_list(app, ADMIN, "appeals", segments={"izmir": "city == 'Izmir'", "old": "age|int > 60"})
    await set_list(app, ADMIN, "appeals", segments={"old": ""})
    await set_list(app, ADMIN, "appeals", title="Appeals")

    assert (await show_list(app, ADMIN, "appeals")).mailing_list.segments == {"izmir": "city == 'Izmir'"}
    lines = [one.after for one in (await audit_page(app, ADMIN)).items if one.act == "change list"]
    assert lines[1] == {"segments": {"izmir": "city == 'Izmir'"}}


async def test_a_condition_that_cannot_be_read_changes_nothing(app: App) -> None:
    before = await open_list(app)

    with pytest.raises(ListDesignRefused, match="the segment izmir"):
        await set_list(app, ADMIN, "appeals", title="Other", segments={"izmir": "city =="})

    assert (await show_list(app, ADMIN, "appeals")).mailing_list == before


async def test_each_reader_gets_what_their_segment_says_also_if_the_list_changes_after_the_launch(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,de", f"{EMMA},Emma,en")
    await set_list(app, ADMIN, "appeals", segments={"rosas": "name == 'Rosa'"})

    await launch_campaign(app, **{"tea.md": TEXT})
    await set_list(app, ADMIN, "appeals", segments={"rosas": ""})
    await send_campaigns(app)

    texts = {letter.recipient: text_of(letter) for letter in relay.letters}
    assert "For Rosa alone." in texts[ROSA]
    assert "For all others." in texts[EMMA]


async def test_a_letter_that_names_a_segment_of_no_list_is_refused_with_its_line(app: App) -> None:
    await open_list(app)
    await set_list(app, ADMIN, "appeals", segments={"izmir": "city == 'Izmir'"})

    with pytest.raises(CampaignFileRefused, match=r"tea\.md: line 4: the list has no segment 'rosas': it has izmir"):
        await new_campaign(app, ADMIN, list_name="appeals", texts={"tea.md": TEXT})


async def test_a_segment_that_is_taken_away_is_missed_before_the_launch(app: App) -> None:
    await open_list(app)
    await set_list(app, ADMIN, "appeals", segments={"rosas": "name == 'Rosa'"})
    campaign_id = await new_campaign(app, ADMIN, list_name="appeals", texts={"tea.md": TEXT})
    await set_list(app, ADMIN, "appeals", segments={"rosas": ""})

    [problem] = (await check_drafts(app, ADMIN, Permission.READ, campaign_id)).problems["en"]

    assert (problem.line, "no segment 'rosas'" in problem.message) == (4, True)
    with pytest.raises(CampaignFileRefused, match="no segment 'rosas'"):
        await send_now(app, ADMIN, campaign_id, wait_s=0)
