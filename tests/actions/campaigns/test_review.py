"""The review: how many get which edition and who nothing, what is wrong, and an hour to propose."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailer.actions.campaigns.drafts import load_draft, new_letter, save_draft
from mailer.actions.campaigns.editions import add_edition
from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.review import review
from mailer.actions.campaigns.schedule import schedule
from mailer.actions.lists.edit_list import set_list
from mailer.actions.subscriptions.unsubscribe import unsubscribe
from mailer.app import App
from mailer.domain.token import Purpose, sign_token
from mailer.mail.compose.problem import Rule
from tests.support.app_helpers import (
    ADMIN,
    APPEAL,
    EMMA,
    LINK_EVIDENCE,
    ROSA,
    Clock,
    import_rows,
    open_list,
    send_campaigns,
)
from tests.support.fake_relay import FakeRelay


@pytest.fixture
async def letter(app: App) -> int:
    """A letter for Rosa, who reads Turkish, and Emma; a third person left."""
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,tr", f"{EMMA},Emma,en", "left@example.org,,")
    await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, 3), LINK_EVIDENCE)
    number = await new_letter(app, ADMIN, list_name="appeals")
    await save_draft(app, ADMIN, number, "en", version=1, fields={"subject": "Come", "body": "Dear all"})
    return number


async def test_it_says_how_many_get_it_and_who_does_not(app: App, letter: int) -> None:
    await import_rows(app, "new@example.org,,", invite=True)

    shown = await review(app, ADMIN, letter)

    assert (shown.subject, shown.readers, shown.missing) == ("Come", 2, {"tr": 1})
    assert shown.excluded == {"pending": 1, "suppressed": 0, "left": 1}
    assert (shown.errors, shown.warnings, shown.is_approved, shown.texts_differ) == ((), (), True, True)
    assert shown.duration() is None


async def test_it_names_every_error_and_warning_with_its_edition(app: App, letter: int) -> None:
    await add_edition(app, ADMIN, letter, "tr")
    await save_draft(
        app,
        ADMIN,
        letter,
        "tr",
        version=1,
        fields={"body": "Merhaba {{ name }} TK\n\n![](https://a.example.org/x.png)"},
    )

    shown = await review(app, ADMIN, letter)

    assert [(language, one.line) for language, one in shown.errors] == [("tr", 5), ("tr", 7)]
    assert [(language, one.rule) for language, one in shown.warnings] == [("tr", Rule.UNFINISHED)]


async def test_values_that_no_reader_has_are_doubted_where_there_are_readers(app: App, letter: int) -> None:
    body = {"body": "Dear {{ town or 'all' }}"}

    await save_draft(app, ADMIN, letter, "en", version=2, fields=body)

    assert [one.rule for _, one in (await review(app, ADMIN, letter)).warnings] == [Rule.UNKNOWN_VALUE]


async def test_editions_must_agree_on_when_the_event_starts(app: App, letter: int) -> None:
    await add_edition(app, ADMIN, letter, "tr")
    event = {"subject": "Gel", "event_name": "Forum", "event_starts": "2027-03-05T19:00", "event_zone": "Europe/Berlin"}
    await save_draft(app, ADMIN, letter, "tr", version=1, fields=event)

    [(language, problem)] = (await review(app, ADMIN, letter)).errors

    assert (language, problem.field) == ("tr", "event")
    assert "do not agree" in problem.message


async def test_the_weekday_and_hour_of_the_last_campaign_are_proposed_and_its_rate_is_known(
    app: App, relay: FakeRelay, letter: int, clock: Clock
) -> None:
    await set_list(app, ADMIN, "appeals", zone="Europe/Berlin")
    first = await review(app, ADMIN, letter)
    earlier = await new_campaign(app, ADMIN, list_name="appeals", texts={"a.md": APPEAL})
    await schedule(app, ADMIN, earlier, local_time="2027-03-02T07:30", zone="Europe/Berlin")
    clock.advance(days=1)
    await launch_due(app)
    clock.advance(seconds=4)
    await send_campaigns(app)

    shown = await review(app, ADMIN, letter)

    assert (first.suggested_local_time, first.suggested_zone) == ("2027-03-01T10:00", "Europe/Berlin")
    assert (shown.suggested_local_time, shown.suggested_zone) == ("2027-03-09T07:30", "Europe/Berlin")
    assert shown.letters_per_second == 0.5
    assert shown.duration() == timedelta(seconds=4)


async def test_it_says_when_drafts_differ_from_what_is_scheduled(app: App, letter: int) -> None:
    await schedule(app, ADMIN, letter, local_time="2027-03-02T09:00", zone="UTC")
    same = await review(app, ADMIN, letter)
    version = (await load_draft(app, ADMIN, letter)).version
    await save_draft(app, ADMIN, letter, "en", version=version, fields={"lead": "More"})

    changed = await review(app, ADMIN, letter)

    assert (same.texts_differ, changed.texts_differ) == (False, True)
    assert same.digest != changed.digest
