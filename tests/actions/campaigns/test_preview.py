"""The letter of a person, before it is sent: what is known of them, or what is said of an invented one."""

from __future__ import annotations

import pytest

from mailer.actions.campaigns.drafts import save_draft
from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.preview import PreviewedLetter, preview
from mailer.actions.campaigns.schedule import send_now
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.token import NOBODY, Purpose, read_token
from mailer.errors import NotFound, NotPermitted
from mailer.mail.message.letter import decode_part
from tests.support.app_helpers import (
    ADMIN,
    APPEAL,
    BEA,
    EMMA,
    ROSA,
    import_rows,
    open_list,
    send_campaigns,
    text_of,
    token_in,
)
from tests.support.fake_relay import FakeRelay
from tests.support.fake_relay_session import ReceivedLetter

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
BY_LANGUAGE = {"a.md": APPEAL}
for tag, subject in (("tr", "Foruma gel"), ("pt", "Venha ao forum")):
    BY_LANGUAGE[f"a.{tag}.md"] = APPEAL.replace(
        "subject: Come to the harvest forum", f"subject: {subject}\nlanguage: {tag}"
    )
VIEWER = Actor(name=EMMA, door=Door.CONSOLE, grants=(Grant(role=Role.VIEWER),), organiser_id=7)


@pytest.fixture
async def campaign(app: App) -> int:
    """A campaign in three languages, with readers of two."""
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,pt-br", f"{EMMA},,tr", f"{BEA},Bea,")
    return await new_campaign(app, ADMIN, list_name="appeals", texts=BY_LANGUAGE)


def words_of(one: PreviewedLetter) -> str:
    return decode_part(one.letter, "text")


def without_token(text: str, token: str) -> str:
    return text.replace(token, "TOKEN").replace("\r\n", "\n")


async def test_the_preview_of_a_reader_is_the_letter_that_they_get(app: App, relay: FakeRelay, campaign: int) -> None:
    previewed = {address: await preview(app, ADMIN, campaign, to=address) for address in (ROSA, EMMA, BEA)}
    await send_now(app, ADMIN, campaign, wait_s=0)
    await launch_due(app)
    await send_campaigns(app)
    got = {letter.recipient: letter for letter in relay.letters}

    assert {to: one.edition for to, one in previewed.items()} == {ROSA: "pt", EMMA: "tr", BEA: "en"}
    assert all(one.is_reader for one in previewed.values())
    for address, letter in got.items():
        shown = previewed[address]
        token = token_in(ReceivedLetter("", "", shown.letter.content, 1, None), "leave")
        assert without_token(words_of(shown), token) == without_token(text_of(letter), token_in(letter, "leave"))
        assert read_token(app.site.keyring, Purpose.LEAVE, token) == NOBODY
    assert "Dear Rosa" in words_of(previewed[ROSA])


async def test_what_is_said_goes_before_what_is_known_and_any_edition_can_be_asked_for(app: App, campaign: int) -> None:
    await save_draft(
        app, ADMIN, campaign, "tr", version=0, fields={"body": "Sevgili {{ name or 'dost' }}, {{ town or '?' }}"}
    )
    said = await preview(app, ADMIN, campaign, to=ROSA, name="Rosita", language="tr", attributes={"town": "Ankara"})
    asked = await preview(app, ADMIN, campaign, to=ROSA, edition="en")
    with pytest.raises(NotFound, match="no edition in 'de'; there are en, tr, pt"):
        await preview(app, ADMIN, campaign, to=ROSA, edition="de")

    assert (said.edition, asked.edition) == ("tr", "en")
    assert "Sevgili Rosita, Ankara" in words_of(said)
    assert "Dear Rosa" in words_of(asked)


async def test_an_address_that_is_no_reader_is_said_to_be_none_and_only_who_sees_people_may_ask(
    app: App, campaign: int
) -> None:
    nobody = await preview(app, ADMIN, campaign, to="nobody@example.org", name="Nora")
    invented = await preview(app, VIEWER, campaign, name="Nora")
    with pytest.raises(NotPermitted):
        await preview(app, VIEWER, campaign, to=ROSA)

    assert (nobody.is_reader, nobody.letter.recipient) == (False, "nobody@example.org")
    assert "Dear Nora" in words_of(nobody)
    assert "Dear Nora" in words_of(invented)
