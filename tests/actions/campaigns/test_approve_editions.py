"""Approvals of single editions: by others than who wrote them, of these words, for those that are sent."""

from __future__ import annotations

import pytest

from mailer.actions.campaigns.approve import approve
from mailer.actions.campaigns.drafts import load_draft, save_draft
from mailer.actions.campaigns.edition_audience import AudienceChoice, choose_editions
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.review import review
from mailer.actions.campaigns.schedule import schedule
from mailer.actions.lists.edit_list import set_list
from mailer.actions.maintenance.today import load_today
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.campaign import CampaignState
from mailer.domain.draft import text_digest
from mailer.errors import CampaignFileRefused, NotFound, NotPermitted, WrongState
from mailer.store.accounts import audit_log
from tests.support.app_helpers import ADMIN, Clock, import_rows, open_list

HOUR = {"local_time": "2027-03-02T09:00", "zone": "Europe/Berlin"}
TEXTS = {
    f"{tag}.md": f"---\nsubject: Come ({tag})\nlanguage: {tag}\n---\n\nOne evening on seeds, in {tag}.\n"
    for tag in ("en", "de", "tr")
}


def _organiser(name: str, role: Role, number: int, language: str | None = None) -> Actor:
    grant = Grant(role=role, language=language)
    return Actor(name=f"{name}@example.org", door=Door.CONSOLE, grants=(grant,), organiser_id=number)


SAMIR = _organiser("samir", Role.SENDER, 3)
EMMA = _organiser("emma", Role.EDITOR, 4)
TUANA, TARIK = (_organiser(name, Role.TRANSLATOR, number, "tr") for number, name in ((5, "tuana"), (6, "tarik")))
DORA = _organiser("dora", Role.TRANSLATOR, 7, "de")


@pytest.fixture
async def letter(app: App) -> int:
    """A letter by Emma in three languages, the Turkish text by Tuana, on a list that asks for another's approval."""
    await open_list(app)
    await set_list(app, ADMIN, "appeals", needs_approval=True)
    await import_rows(app, "rosa@example.org,Rosa,en", "dilan@example.org,Dilan,tr")
    number = await new_campaign(app, EMMA, list_name="appeals", texts=TEXTS)
    await _write(app, number, TUANA, "tr", body="Bir akşam.")
    return number


async def _write(app: App, letter: int, who: Actor, language: str, **fields: str) -> None:
    version = (await load_draft(app, who, letter, language)).version
    await save_draft(app, who, letter, language, version=version, fields=fields)


async def _approved(app: App, letter: int) -> dict[str, tuple[str, ...]]:
    return {one.language: one.approved_by for one in (await review(app, SAMIR, letter)).editions}


async def test_each_edition_is_approved_by_its_own_translator_and_not_by_who_wrote_it(app: App, letter: int) -> None:
    for who, language in ((TUANA, "tr"), (EMMA, "en"), (DORA, "de")):
        await approve(app, who, letter, language=language)
    with pytest.raises(WrongState, match=r"\(en, tr\)"):
        await schedule(app, SAMIR, letter, **HOUR)
    assert (await review(app, SAMIR, letter)).is_approved is False

    await approve(app, TARIK, letter, language="tr")
    await approve(app, ADMIN, letter, language="en")

    assert await _approved(app, letter) == {
        "en": (ADMIN.name,),
        "de": (DORA.name,),
        "tr": (TARIK.name,),
    }
    assert (await review(app, SAMIR, letter)).is_approved is True
    assert (await schedule(app, SAMIR, letter, **HOUR)).state is CampaignState.SCHEDULED


async def test_who_schedules_does_not_approve_and_a_translator_only_her_language(app: App, letter: int) -> None:
    await approve(app, SAMIR, letter, language="en")
    await approve(app, DORA, letter, language="de")
    await approve(app, SAMIR, letter, language="tr")

    with pytest.raises(WrongState, match=r"\(en, tr\)"):
        await schedule(app, SAMIR, letter, **HOUR)
    with pytest.raises(NotPermitted):
        await approve(app, DORA, letter, language="en")
    with pytest.raises(NotPermitted):
        await approve(app, DORA, letter)
    with pytest.raises(NotFound):
        await approve(app, EMMA, letter, language="ku")


async def test_an_approval_of_one_text_lasts_until_that_text_changes(app: App, letter: int) -> None:
    await approve(app, DORA, letter, language="de")
    await approve(app, TARIK, letter, language="tr")

    await _write(app, letter, TUANA, "tr", body="Bir akşam, tohumlar.")

    view = await review(app, SAMIR, letter)
    assert {one.language: one.approved_by for one in view.editions} == {"en": (), "de": (DORA.name,), "tr": ()}
    assert [(one.language, one.approved_by, one.is_valid) for one in view.approvals] == [
        ("tr", TARIK.name, False),
        ("de", DORA.name, True),
    ]


async def test_only_the_texts_that_are_sent_need_an_approval(app: App, letter: int) -> None:
    await approve(app, DORA, letter, language="de")
    with pytest.raises(WrongState, match=r"\(en, tr\)"):
        await schedule(app, SAMIR, letter, **HOUR)

    scheduled = await schedule(app, SAMIR, letter, audience=AudienceChoice(languages=("de",)), **HOUR)

    assert scheduled.languages == ("de",)


async def test_all_texts_together_are_those_that_are_sent(app: App, letter: int) -> None:
    await choose_editions(app, SAMIR, letter, ["en", "de"])
    await approve(app, ADMIN, letter)
    await _write(app, letter, TUANA, "tr", body="Daha bitmedi {{ x")
    assert (await review(app, SAMIR, letter)).is_approved is True

    await schedule(app, SAMIR, letter, **HOUR)

    await _write(app, letter, TUANA, "tr", body="Bitti.")
    with pytest.raises(WrongState, match=r"\(en, de, tr\)"):
        await schedule(app, SAMIR, letter, audience=AudienceChoice(languages=()), **HOUR)


async def test_what_was_changed_after_it_was_shown_and_what_has_an_error_is_not_approved(app: App, letter: int) -> None:
    seen = text_digest((await load_draft(app, TARIK, letter, "tr")).text)
    await _write(app, letter, TUANA, "tr", body="Bir akşam, tohumlar.")
    with pytest.raises(WrongState, match="after you reviewed"):
        await approve(app, TARIK, letter, reviewed=seen, language="tr")
    now_seen = text_digest((await load_draft(app, TARIK, letter, "tr")).text)
    await approve(app, TARIK, letter, reviewed=now_seen, language="tr")
    await _write(app, letter, TUANA, "tr", body="{{ x")
    with pytest.raises(CampaignFileRefused, match="tr, line"):
        await approve(app, TARIK, letter, language="tr")
    await approve(app, DORA, letter, language="de")

    lines = [one for one in (await app.database.read(audit_log.list_page)).items if one.act == "approve campaign"]
    assert [one.after for one in lines] == [{"versions": {"de": 0}}, {"versions": {"tr": 2}}]


async def test_today_asks_nobody_once_each_edition_has_its_approval(app: App, letter: int, clock: Clock) -> None:
    clock.advance(hours=1)

    async def asked() -> int:
        return sum(one.kind == "approval asked" for one in (await load_today(app, SAMIR)).needs)

    for who, language in ((ADMIN, "en"), (DORA, "de")):
        await approve(app, who, letter, language=language)
        assert await asked() == 1
    await approve(app, TARIK, letter, language="tr")
    assert await asked() == 0
