"""The footer of letters: why the reader gets them, and the sender's postal address."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mailer.actions.campaigns.correct import correct
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.pause_resume_cancel import pause, resume
from mailer.actions.campaigns.preview import preview
from mailer.actions.lists.edit_list import add_list, set_list
from mailer.app import App
from mailer.errors import ListFooterRefused
from mailer.mail.message.letter import decode_part
from tests.support.app_helpers import (
    ADMIN,
    APPEAL,
    EMMA,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    parse_letter,
    send_campaigns,
    text_of,
)
from tests.support.fake_relay import FakeRelay

WHY, WHERE = "You are a member of the <seed> circle.", "Seed Circle\nMill Lane 3\n50667 Köln"
WHY_NOW, WHERE_NOW = "You asked for the circle's news.", "Barn Road 1, 50668 Köln"
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def html_of(letter: object) -> str:
    body = parse_letter(letter).get_body(("html",))  # type: ignore[arg-type]
    assert body is not None
    return str(body.get_content())


async def test_a_resent_letter_keeps_its_footer_and_the_next_campaign_has_the_new_one(
    app: App, relay: FakeRelay, clock: Clock, again: Callable[[], App]
) -> None:
    await open_list(app)
    await set_list(app, ADMIN, "appeals", postal_address=WHERE, reason=WHY)
    await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Emma,ar")
    relay.drops("dot", address=ROSA, nth=1)
    relay.answers("rcpt", "451 4.3.0 later", address=EMMA, nth=1)
    await launch_campaign(app)
    await send_campaigns(app)

    await set_list(app, ADMIN, "appeals", postal_address=WHERE_NOW, reason=WHY_NOW)
    clock.advance(minutes=10)
    await send_campaigns(again())
    of_rosa = [letter.content for letter in relay.letters if letter.recipient == ROSA]
    to_emma = next(letter for letter in relay.letters if letter.recipient == EMMA)
    next_id = await new_campaign(app, ADMIN, list_name="appeals", texts={"a.md": APPEAL})
    shown_next = decode_part((await preview(app, ADMIN, next_id)).letter, "text")

    assert len(of_rosa) == 2
    assert of_rosa[0] == of_rosa[1]
    for letter in (relay.letters[0], to_emma):
        assert WHY in text_of(letter)
        assert WHERE in text_of(letter).replace("\r\n", "\n")
        assert "You are a member of the &lt;seed&gt; circle." in html_of(letter)
        assert "Mill Lane 3</span><br>" in html_of(letter)
        assert "subscribed" not in text_of(letter) + html_of(letter)
    assert WHY_NOW in shown_next
    assert WHERE_NOW in shown_next


@SQLITE
async def test_a_correction_has_the_footer_of_its_time_and_a_removed_footer_is_gone(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await set_list(app, ADMIN, "appeals", postal_address=WHERE, reason=WHY)
    await import_rows(app, f"{ROSA},Rosa,en")
    campaign_id = await launch_campaign(app)
    await pause(app, ADMIN, campaign_id)
    await set_list(app, ADMIN, "appeals", postal_address="", reason=" ")
    await correct(app, ADMIN, campaign_id, {"appeal.md": APPEAL})
    await resume(app, ADMIN, campaign_id)
    await send_campaigns(app)

    text = text_of(relay.letters[0])
    assert "You get this letter because you subscribed to Open Appeals." in text
    assert "Mill Lane" not in text


@SQLITE
@pytest.mark.parametrize(
    "words",
    [
        {"reason": "two\nlines"},
        {"reason": "turned \u202e round"},
        {"reason": "x" * 301},
        {"postal_address": "\n".join("1234567")},
        {"postal_address": "a bell \x07"},
    ],
    ids=repr,
)
async def test_a_bad_footer_is_refused_and_nothing_is_changed(app: App, words: dict[str, str]) -> None:
    made = await add_list(
        app, ADMIN, name="seeds", title="Seeds", owner="ada@example.org", reason=WHY, postal_address=f" {WHERE} \n"
    )
    with pytest.raises(ListFooterRefused):
        await set_list(app, ADMIN, "seeds", **words)
    with pytest.raises(ListFooterRefused):
        await add_list(app, ADMIN, name="other", title="Other", owner="ada@example.org", **words)

    assert (await set_list(app, ADMIN, "seeds")) == made
    assert (made.reason, made.postal_address) == (WHY, WHERE)
