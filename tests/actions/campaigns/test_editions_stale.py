"""Stale editions: flagged wherever editions are shown until somebody says that they are up to date."""

from __future__ import annotations

import pytest

from mailer.actions.campaigns.again import again
from mailer.actions.campaigns.board import load_board
from mailer.actions.campaigns.correct import correct
from mailer.actions.campaigns.edition_audience import AudienceChoice, choose_editions
from mailer.actions.campaigns.editions import mark_up_to_date
from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.preflight.check_campaign import QUICK, check_campaign
from mailer.actions.campaigns.rest import rest
from mailer.actions.campaigns.review import review
from mailer.actions.campaigns.schedule import Reviewed, schedule, send_now
from mailer.app import App
from mailer.domain.draft import EditionStatus
from mailer.errors import WrongState
from tests.support.app_helpers import ADMIN, open_list

HOUR = {"local_time": "2027-03-02T09:00", "zone": "Europe/Berlin"}


def _text(tag: str, words: str = "One evening") -> str:
    return f"---\nsubject: Come ({tag})\nlanguage: {tag}\n---\n\n{words}, in {tag}.\n"


@pytest.fixture
async def letter(app: App) -> int:
    """A letter in three languages whose English text was changed since."""
    await open_list(app)
    number = await new_campaign(app, ADMIN, list_name="appeals", texts={tag: _text(tag) for tag in ("en", "de", "tr")})
    await correct(app, ADMIN, number, {"en": _text("en", "Two evenings")})
    return number


async def _stale(app: App, letter: int) -> list[str]:
    return [one.language for one in (await review(app, ADMIN, letter)).editions if one.status is EditionStatus.STALE]


async def _stale_on_board(app: App) -> list[tuple[str, ...]]:
    board = await load_board(app, ADMIN)
    return [line.stale for line in (*board.drafts, *board.scheduled)]


async def test_it_is_flagged_on_the_board_in_the_review_and_by_the_check_until_it_is_up_to_date(
    app: App, letter: int
) -> None:
    assert await _stale(app, letter) == ["de", "tr"]
    assert await _stale_on_board(app) == [("de", "tr")]
    found = [one for one in (await check_campaign(app, ADMIN, letter, QUICK)).results if one.rule == "edition"]
    assert [(one.edition, one.severity) for one in found if one.edition] == [("de", "warning"), ("tr", "warning")]

    await mark_up_to_date(app, ADMIN, letter, "de")

    assert await _stale(app, letter) == ["tr"]
    assert await _stale_on_board(app) == [("tr",)]
    assert [language for language, _ in (await review(app, ADMIN, letter)).warnings] == ["tr"]


async def test_it_is_ticked_before_the_launch_unless_it_is_not_sent(app: App, letter: int) -> None:
    view = await review(app, ADMIN, letter)
    keys = frozenset(one.key for _, one in view.warnings)

    with pytest.raises(WrongState, match="meant so: de: en was changed after"):
        await schedule(app, ADMIN, letter, reviewed=Reviewed(digest=view.digest, accepted=frozenset()), **HOUR)
    await schedule(app, ADMIN, letter, reviewed=Reviewed(digest=view.digest, accepted=keys), **HOUR)

    another = await again(app, ADMIN, letter)
    chosen = await choose_editions(app, ADMIN, another, ["en"])
    alone = await review(app, ADMIN, another)
    assert (chosen.languages, alone.warnings, await _stale_on_board(app)) == (("en",), (), [(), ("de", "tr")])
    await schedule(app, ADMIN, another, reviewed=Reviewed(digest=alone.digest, accepted=frozenset()), **HOUR)


async def test_texts_that_are_handed_in_together_are_up_to_date_and_a_translation_alone_is_not(
    app: App, letter: int
) -> None:
    await correct(app, ADMIN, letter, {"de": _text("de", "Zwei Abende")})
    assert await _stale(app, letter) == ["de", "tr"], "nobody guesses that a translation is whole"

    await correct(app, ADMIN, letter, {"en": _text("en", "Three evenings"), "tr": _text("tr", "Üç akşam")})

    assert await _stale(app, letter) == ["de"]


async def test_a_copy_and_the_rest_are_as_stale_as_the_letter_they_are_made_of(app: App, letter: int) -> None:
    copy = await again(app, ADMIN, letter)
    await send_now(app, ADMIN, letter, wait_s=0, audience=AudienceChoice(languages=("en",)))
    await launch_due(app)

    others = await rest(app, ADMIN, letter)

    assert await _stale(app, copy) == await _stale(app, others) == ["de", "tr"]
