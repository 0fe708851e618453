"""A letter cites the letter that it answers, as it was called when this one was launched."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from mailer.actions.campaigns.checked_drafts import check_drafts
from mailer.actions.campaigns.correct import correct
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.pause_resume_cancel import pause, resume
from mailer.actions.campaigns.preview import preview
from mailer.actions.campaigns.show_letter import show_letter
from mailer.app import App
from mailer.domain.accounts.role import Permission
from mailer.domain.mailing_list import ArchiveMode
from mailer.mail.compose.problem import Rule
from mailer.mail.message.letter import decode_part
from mailer.store import mailing_lists, revisions
from mailer.store.letters import citations
from tests.support.app_helpers import (
    ADMIN,
    DOMAIN,
    EMMA,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    send_campaigns,
    text_of,
)
from tests.support.fake_relay import FakeRelay

ENGLISH = '---\nsubject: Seeds for {{ name or "all" }}\n---\nCome.\n'
TURKISH = "---\nsubject: Tohumlar\nlanguage: tr\n---\nGel.\n"
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def _make_public(tx: Connection) -> None:
    mailing_lists.change(tx, 1, {"archive": ArchiveMode.PUBLIC})


@pytest.fixture
async def seeds(app: App) -> int:
    """A letter in two languages that everybody may read on the web; Rosa reads English, Emma Turkish."""
    await open_list(app)
    await app.database.write(_make_public)
    await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Emma,tr")
    number = await launch_campaign(app, **{"a.md": ENGLISH, "b.md": TURKISH})
    await send_campaigns(app)
    return number


def answer_to(url: str) -> dict[str, str]:
    texts = {"a.md": ENGLISH.replace("Seeds", "Thanks"), "b.md": TURKISH.replace("Tohumlar", "Sağ olun")}
    return {name: text.replace("subject:", f"answers: {url}\nsubject:") for name, text in texts.items()}


async def test_each_edition_cites_the_letter_that_it_answers_by_its_title(
    app: App, relay: FakeRelay, seeds: int
) -> None:
    url = f"https://{DOMAIN}/archive/appeals/{seeds}-seeds"
    number = await launch_campaign(app, **answer_to(url))
    await send_campaigns(app)

    to_rosa, to_emma = (next(one for one in relay.letters[2:] if one.recipient == to) for to in (ROSA, EMMA))
    assert f"In answer to: Seeds for all\n{url}\n" in text_of(to_rosa).replace("\r\n", "\n")
    assert f"Şuna yanıt: Tohumlar\n{url}\n" in text_of(to_emma).replace("\r\n", "\n")
    assert await app.database.read(citations.list_answering, seeds) == {
        ("appeals", number): {"en": "Thanks for all", "tr": "Sağ olun"}
    }


async def test_a_repeat_cites_it_as_the_first_time_though_its_title_was_corrected(
    app: App, relay: FakeRelay, clock: Clock, again: Callable[[], App], seeds: int
) -> None:
    number = await launch_campaign(app, **answer_to(f"https://{DOMAIN}/archive/appeals/{seeds}-seeds"))
    relay.drops("dot", address=ROSA, nth=1)
    await send_campaigns(app)
    next_number = await new_campaign(
        app, ADMIN, list_name="appeals", texts=answer_to(f"https://{DOMAIN}/archive/appeals/{seeds}-seeds")
    )
    await app.database.write(_rename, seeds)
    clock.advance(minutes=10)
    await send_campaigns(again())

    of_rosa = [letter for letter in relay.letters[2:] if letter.recipient == ROSA]
    shown = await show_letter(app, ADMIN, number, ROSA)
    assert [one.content for one in of_rosa] == [of_rosa[0].content] * 2
    assert shown.letter is not None
    assert shown.letter.content == of_rosa[0].content
    assert "In answer to: Beans" in decode_part((await preview(app, ADMIN, next_number)).letter, "text")


def _rename(tx: Connection, campaign_id: int) -> None:
    edition_id = revisions.editions_by_language(tx, campaign_id)["en"]
    revisions.add_revision(tx, edition_id=edition_id, manuscript=ENGLISH.replace("Seeds for", "Beans"), now=Clock().now)


async def test_a_correction_may_answer_something_else(app: App, relay: FakeRelay, seeds: int) -> None:
    number = await launch_campaign(app, **answer_to("https://forum.example.org/call"))
    await pause(app, ADMIN, number)
    before = await app.database.read(citations.list_answering, seeds)
    await correct(app, ADMIN, number, answer_to(f"https://{DOMAIN}/archive/appeals/{seeds}-seeds"))
    await resume(app, ADMIN, number)
    await send_campaigns(app)

    assert before == {}
    assert list(await app.database.read(citations.list_answering, seeds)) == [("appeals", number)]
    assert all("forum.example.org" not in text_of(one) for one in relay.letters[2:])


async def test_a_letter_that_not_everybody_may_read_is_cited_by_its_address(
    app: App, relay: FakeRelay, seeds: int
) -> None:
    await app.database.write(lambda tx: mailing_lists.change(tx, 1, {"archive": ArchiveMode.OFF}))
    await launch_campaign(app, **answer_to(f"https://{DOMAIN}/archive/appeals/{seeds}-seeds"))
    await send_campaigns(app)

    assert f"In answer to: {DOMAIN}/archive/appeals/{seeds}-seeds" in text_of(
        next(one for one in relay.letters[2:] if one.recipient == ROSA)
    )
    assert await app.database.read(citations.list_answering, seeds) == {}


async def test_the_check_doubts_an_answer_to_a_page_here_that_not_everybody_can_read(app: App, seeds: int) -> None:
    found = {}
    for name in (f"archive/appeals/{seeds}-seeds", "archive/appeals/99-other", "view/token/1-seeds"):
        texts = answer_to(f"https://{DOMAIN}/{name}")
        number = await new_campaign(app, ADMIN, list_name="appeals", texts={"a.md": texts["a.md"]})
        problems = (await check_drafts(app, ADMIN, Permission.READ, number)).problems["en"]
        found[name.partition("/")[2]] = [one.rule for one in problems if one.field == "answers"]

    assert list(found.values()) == [[], [Rule.NOT_PUBLIC], [Rule.NOT_PUBLIC]]
