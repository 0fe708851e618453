"""Editions sent alone, the rest later: everybody gets one letter at most, in the edition that is theirs."""

from __future__ import annotations

import pytest

from mailer.actions.campaigns.choose_readers import choose_readers
from mailer.actions.campaigns.drafts import load_draft, save_draft
from mailer.actions.campaigns.edition_audience import AudienceChoice, choose_editions
from mailer.actions.campaigns.editions import add_edition, remove_edition
from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.pause_resume_cancel import cancel, pause, resume
from mailer.actions.campaigns.preview import preview
from mailer.actions.campaigns.report import audience_size, campaign_status
from mailer.actions.campaigns.rest import rest
from mailer.actions.campaigns.review import review
from mailer.actions.campaigns.schedule import schedule, send_now
from mailer.actions.lists.edit_list import set_list
from mailer.actions.maintenance.count_people import AudienceRecounts, recount_audiences
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import DeliveryState
from mailer.errors import NotFound, NotPermitted, WrongState
from tests.support.app_helpers import ADMIN, EMMA, Clock, import_rows, open_list, parse_letter, send_campaigns
from tests.support.fake_relay import FakeRelay

TEXTS = {
    f"{tag}.md": f"---\nsubject: Come ({tag})\nlanguage: {tag}\n---\n\nOne evening on seeds, in {tag}.\n"
    for tag in ("en", "de", "pt", "tr")
}
READERS = {"eva": "en", "dora": "de-at", "pia": "pt-br", "tuna": "tr", "kawa": "ku", "nil": ""}
HOUR = {"local_time": "2027-03-02T09:00", "zone": "UTC"}


@pytest.fixture
async def letter(app: App) -> int:
    """A campaign in four languages, English first, on a list in German."""
    await open_list(app, language="de")
    await import_rows(app, *(f"{name}@example.org,,{language}" for name, language in READERS.items()))
    return await new_campaign(app, ADMIN, list_name="appeals", texts=TEXTS)


async def _send(app: App, campaign_id: int, *languages: str, **more: int) -> None:
    audience = AudienceChoice(languages=languages or None, **more)
    await send_now(app, ADMIN, campaign_id, wait_s=0, audience=audience)
    await launch_due(app)
    await send_campaigns(app)


def _got(relay: FakeRelay) -> list[tuple[str, str]]:
    """Who got which edition, by name."""
    return sorted(
        (letter.recipient.partition("@")[0], str(parse_letter(letter)["Subject"])[6:-1]) for letter in relay.letters
    )


THEIRS = {"eva": "en", "dora": "de", "pia": "pt", "tuna": "tr", "kawa": "de", "nil": "de"}


async def test_the_edition_of_each_reader_is_the_same_wherever_it_is_told_and_in_the_letter(
    app: App, relay: FakeRelay, letter: int
) -> None:
    view, draft = await review(app, ADMIN, letter), await load_draft(app, ADMIN, letter)
    counted = {group.language: one.language for one in view.editions for group in one.groups}
    chosen = {one.address.partition("@")[0]: one.edition for one in await choose_readers(app, ADMIN, letter, 20)}
    shown = {name: (await preview(app, ADMIN, letter, language=language)).edition for name, language in READERS.items()}

    await _send(app, letter)

    assert dict(_got(relay)) == chosen == shown == THEIRS
    assert {name: counted[language] for name, language in READERS.items()} == THEIRS
    assert (view.otherwise, view.missing, view.readers) == ("de", {"ku": 1}, 6)
    assert draft.editions == view.editions


async def test_readers_of_editions_that_are_not_sent_wait_and_get_theirs_with_the_rest(
    app: App, relay: FakeRelay, letter: int
) -> None:
    await _send(app, letter, "en", "de")
    alone = _got(relay)
    status = await campaign_status(app, ADMIN, letter)
    assert alone == [("dora", "de"), ("eva", "en"), ("kawa", "de"), ("nil", "de")]
    assert (status.campaign.state, status.audience, status.campaign.audience) == (CampaignState.SENT, 4, 4)
    assert status.counts == {DeliveryState.ACCEPTED: 4}

    others = await rest(app, ADMIN, letter)
    await import_rows(app, "new@example.org,,tr", "late@example.org,,en")
    view = await review(app, ADMIN, others)
    await _send(app, others)

    assert (view.campaign.languages, view.campaign.not_mailed_by) == (("pt", "tr"), letter)
    assert {one.language: (one.readers, one.is_sent) for one in view.editions} == {
        "en": (1, False),
        "de": (0, False),
        "pt": (1, True),
        "tr": (2, True),
    }
    assert view.readers == 3
    assert _got(relay) == sorted([*alone, ("pia", "pt"), ("tuna", "tr"), ("new", "tr")])
    assert (await campaign_status(app, ADMIN, others)).counts == {DeliveryState.ACCEPTED: 3}


async def test_whoever_changes_language_in_between_does_not_get_it_twice(
    app: App, relay: FakeRelay, letter: int
) -> None:
    await _send(app, letter, "en", "de")
    others = await rest(app, ADMIN, letter)
    await import_rows(app, "eva@example.org,,tr")

    await _send(app, others)

    assert _got(relay).count(("eva", "en")) == 1
    assert ("eva", "tr") not in _got(relay)


async def test_whose_language_changes_after_the_launch_gets_an_edition_that_is_sent(
    app: App, relay: FakeRelay, letter: int
) -> None:
    await send_now(app, ADMIN, letter, wait_s=0, audience=AudienceChoice(languages=("en", "de")))
    await launch_due(app)
    await import_rows(app, "eva@example.org,,tr")

    await send_campaigns(app)

    assert ("eva", "de") in _got(relay)


async def test_a_text_that_is_not_sent_need_not_be_finished(app: App, relay: FakeRelay, letter: int) -> None:
    draft = await load_draft(app, ADMIN, letter, "tr")
    await save_draft(app, ADMIN, letter, "tr", version=draft.version, fields={"body": "{{ broken }}"})
    await add_edition(app, ADMIN, letter, "ku")

    await _send(app, letter, "de", "en")
    view = await review(app, ADMIN, await rest(app, ADMIN, letter))

    assert _got(relay) == [("dora", "de"), ("eva", "en"), ("nil", "de")]
    assert [language for language, _ in view.errors] == ["tr"]
    assert view.campaign.languages == ("pt", "tr", "ku")


async def test_the_choice_of_editions_stays_when_the_hour_is_moved_and_can_be_undone(app: App, letter: int) -> None:
    scheduled = await schedule(app, ADMIN, letter, audience=AudienceChoice(languages=("tr",)), **HOUR)
    moved = await schedule(app, ADMIN, letter, local_time="2027-03-03T09:00", zone="UTC")
    reach = await audience_size(app, ADMIN, letter)
    whole = await schedule(app, ADMIN, letter, audience=AudienceChoice(languages=()), **HOUR)

    assert (scheduled.languages, moved.languages, whole.languages) == (("tr",), ("tr",), None)
    assert (reach, await audience_size(app, ADMIN, letter)) == (1, 6)
    every = await schedule(app, ADMIN, letter, audience=AudienceChoice(languages=("tr", "pt", "de", "en")), **HOUR)
    assert every.languages is None
    with pytest.raises(NotFound, match="there are: en, de, pt, tr"):
        await schedule(app, ADMIN, letter, audience=AudienceChoice(languages=("xx",)), **HOUR)


async def test_a_draft_has_its_editions_chosen_and_the_last_of_them_cannot_be_removed(app: App, letter: int) -> None:
    assert (await choose_editions(app, ADMIN, letter, ["tr", "de"])).languages == ("de", "tr")
    await remove_edition(app, ADMIN, letter, "de")
    assert (await review(app, ADMIN, letter)).campaign.languages == ("tr",)
    with pytest.raises(WrongState, match="only edition"):
        await remove_edition(app, ADMIN, letter, "tr")
    assert (await choose_editions(app, ADMIN, letter, [])).languages is None
    await schedule(app, ADMIN, letter, **HOUR)
    with pytest.raises(WrongState, match="draft"):
        await choose_editions(app, ADMIN, letter, ["tr"])


async def test_there_is_one_rest_and_none_before_the_first_or_after_all(app: App, letter: int) -> None:
    with pytest.raises(WrongState, match="once it has been"):
        await rest(app, ADMIN, letter)
    await _send(app, letter, "en")
    first = await rest(app, ADMIN, letter)
    with pytest.raises(WrongState, match=f"campaign {first} is for those"):
        await rest(app, ADMIN, letter)
    await cancel(app, ADMIN, first)
    second = await rest(app, ADMIN, letter)
    await _send(app, second, "de", "pt")
    third = await rest(app, ADMIN, second)
    await _send(app, third)

    assert (await campaign_status(app, ADMIN, third)).campaign.languages == ("tr",)
    with pytest.raises(WrongState, match="none waits"):
        await rest(app, ADMIN, third)


async def test_a_rest_of_a_rest_leaves_out_whom_both_mailed(app: App, relay: FakeRelay, letter: int) -> None:
    await _send(app, letter, "en")
    second = await rest(app, ADMIN, letter)
    await _send(app, second, "de")
    third = await rest(app, ADMIN, second)
    await import_rows(app, "eva@example.org,,pt", "dora@example.org,,tr")

    await _send(app, third)

    assert _got(relay) == [("dora", "de"), ("eva", "en"), ("kawa", "de"), ("nil", "de"), ("pia", "pt"), ("tuna", "tr")]


async def test_another_lists_campaign_leaves_out_whom_the_first_mailed_or_may_have(
    app: App, relay: FakeRelay, letter: int
) -> None:
    await open_list(app, "forum")
    await import_rows(app, *(f"{name}@example.org,," for name in ("eva", "dora", "zoe")), list_name="forum")
    relay.answers("rcpt", "550 5.1.1 no such person", address="dora@example.org")
    await _send(app, letter)
    other = await new_campaign(app, ADMIN, list_name="forum", texts=dict([next(iter(TEXTS.items()))]))
    relay.letters.clear()

    await send_now(app, ADMIN, other, wait_s=0, audience=AudienceChoice(not_mailed_by=letter))
    reach = await audience_size(app, ADMIN, other)
    await launch_due(app)
    await send_campaigns(app)

    # Dora's letter failed, and can be tried again there.
    assert (_got(relay), reach) == ([("zoe", "en")], 1)


async def test_whose_letter_was_called_off_gets_the_next_and_whose_waits_does_not(
    app: App, relay: FakeRelay, letter: int
) -> None:
    await send_now(app, ADMIN, letter, wait_s=0, audience=AudienceChoice(languages=("en",)))
    await launch_due(app)
    await pause(app, ADMIN, letter)
    next_one = await new_campaign(app, ADMIN, list_name="appeals", texts=TEXTS)
    audience = AudienceChoice(not_mailed_by=letter)
    await schedule(app, ADMIN, next_one, audience=audience, **HOUR)
    while_it_waits = await audience_size(app, ADMIN, next_one)
    await cancel(app, ADMIN, letter)
    await launch_due(app)

    assert (while_it_waits, await audience_size(app, ADMIN, next_one)) == (5, 6)


async def test_a_campaign_waits_for_the_whole_audience_of_the_one_before_it(
    app: App, relay: FakeRelay, letter: int, clock: Clock
) -> None:
    with pytest.raises(WrongState, match="has mailed nobody yet"):
        await schedule(app, ADMIN, letter, audience=AudienceChoice(not_mailed_by=letter), **HOUR)
    await send_now(app, ADMIN, letter, wait_s=0)
    app.wakeups.closing.set()  # the launch begins, and its audience is not frozen yet
    await launch_due(app)
    await pause(app, ADMIN, letter)
    app.wakeups.closing.clear()
    after = await new_campaign(app, ADMIN, list_name="appeals", texts=TEXTS)
    await send_now(app, ADMIN, after, wait_s=0, audience=AudienceChoice(not_mailed_by=letter))

    await launch_due(app)
    waits = (await campaign_status(app, ADMIN, after)).campaign.state
    await resume(app, ADMIN, letter)
    await launch_due(app)
    await launch_due(app)
    await send_campaigns(app)

    assert waits is CampaignState.SCHEDULED
    assert len(_got(relay)) == 6
    assert (await campaign_status(app, ADMIN, after)).audience == 0


async def test_the_campaign_before_must_be_one_that_the_actor_may_read(app: App, letter: int) -> None:
    await _send(app, letter)
    await open_list(app, "forum")
    other = await new_campaign(app, ADMIN, list_name="forum", texts=TEXTS)
    of_forum = Actor(name=EMMA, door=Door.CONSOLE, grants=(Grant(role=Role.SENDER, mailing_list_id=2),), organiser_id=4)
    with pytest.raises(NotPermitted):
        await schedule(app, of_forum, other, audience=AudienceChoice(not_mailed_by=letter), **HOUR)
    with pytest.raises(NotFound):
        await schedule(app, ADMIN, other, audience=AudienceChoice(not_mailed_by=99), **HOUR)


async def test_on_a_large_list_whom_a_campaign_before_mailed_is_not_counted_and_that_is_said(
    app: App, letter: int, clock: Clock
) -> None:
    await _send(app, letter, "en")
    others = await rest(app, ADMIN, letter)
    await import_rows(app, "eva@example.org,,tr")
    exact = await review(app, ADMIN, others)
    await recount_audiences(app, AudienceRecounts(), at_once=2)
    clock.advance(minutes=1)

    large = await review(app, ADMIN, others)

    assert (exact.readers, exact.is_at_most) == (5, False)
    assert (large.readers, large.is_at_most) == (6, True)
    assert await audience_size(app, ADMIN, others) == 5


async def test_on_a_list_in_another_language_the_unknown_get_that(app: App, relay: FakeRelay, letter: int) -> None:
    await set_list(app, ADMIN, "appeals", language="fr")

    view = await review(app, ADMIN, letter)
    await _send(app, letter)

    assert view.otherwise == "en"
    assert dict(_got(relay)) == THEIRS | {"kawa": "en", "nil": "en"}
