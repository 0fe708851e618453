"""The letter that somebody got: the octets of then, whatever changed since, and who may see them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from sqlalchemy import Connection

from mailer.actions.campaigns.correct import correct
from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.pause_resume_cancel import cancel, pause, resume
from mailer.actions.campaigns.schedule import AudienceChoice, send_now
from mailer.actions.campaigns.show_letter import list_letters, show_letter
from mailer.actions.lists.edit_list import set_list
from mailer.actions.lists.media import add_media
from mailer.actions.subscriptions.decline import never_ask_again
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.delivery import DeliveryState, Kind
from mailer.domain.token import Purpose, read_token
from mailer.errors import NotFound, NotPermitted, TokenRefused
from mailer.mail.dkim.signing import Signer
from mailer.mail.message.letter import decode_part
from mailer.mail.templates.example_templates import read_example
from mailer.store import mailing_lists
from mailer.store.letters import letter_templates
from tests.support.app_helpers import (
    ADMIN,
    APPEAL,
    BEA,
    DOMAIN,
    EMMA,
    LINK_EVIDENCE,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    parse_letter,
    receive_person_mail,
    send_campaigns,
    send_notices,
    token_in,
)
from tests.support.fake_relay import FakeRelay
from tests.support.media_samples import PDF, photo

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
SIGNER = Signer(domain=DOMAIN, selector="ours", key=generate_private_key(public_exponent=65537, key_size=2048))
TURKISH = APPEAL.replace("subject: Come to the harvest forum", "subject: Foruma gel\nlanguage: tr")


@pytest.fixture
def signing(app: App) -> App:
    """The service with a DKIM key."""
    return replace(app, signers=(SIGNER,))


def _change_list(tx: Connection) -> None:
    values = {"accent_color": "#aa2222", "segments": {"near": 'city == "Izmir"'}, "logo": None}
    mailing_lists.change(tx, 1, values)


async def change_everything(app: App) -> None:
    """The list gets another name, footer, language and look, and both people other names."""
    changed = {"title": "Letters of the Orchard", "reason": "You know why.", "postal_address": "Mill Lane 3"}
    await set_list(app, ADMIN, "appeals", language="de", **changed)
    await app.database.write(_change_list)
    await import_rows(app, f"{ROSA},Rosalind,de", f"{EMMA},Emmeline,en")


async def test_what_is_shown_later_is_what_the_relay_got_to_the_octet(
    signing: App, again: Callable[[], App], relay: FakeRelay, clock: Clock
) -> None:
    await open_list(signing)
    await import_rows(signing, f"{ROSA},Rosa,en", f"{EMMA},Emma,tr", f"{BEA},,")
    relay.answers("rcpt", "451 4.3.0 later", address=BEA, nth=1)
    campaign_id = await launch_campaign(signing, **{"a.md": APPEAL, "b.md": TURKISH})
    await send_campaigns(signing)
    await pause(signing, ADMIN, campaign_id)
    await change_everything(signing)
    corrected = APPEAL.replace("your own", "your best").replace("lead:", "language: en\nlead:")
    await correct(signing, ADMIN, campaign_id, {"a.md": corrected})
    await resume(signing, ADMIN, campaign_id)
    clock.advance(minutes=10)
    later = replace(again(), signers=(SIGNER,))
    await send_campaigns(later)

    assert sorted(one.recipient for one in relay.letters) == [BEA, EMMA, ROSA]
    for got in relay.letters:
        shown = await show_letter(later, ADMIN, campaign_id, got.recipient)
        assert shown.letter is not None
        assert shown.letter.content == got.content
        assert (shown.letter.return_path, shown.letter.recipient) == (got.sender, got.recipient)
        assert (shown.is_kept, shown.changes) == (True, ())
        assert (shown.record.state, shown.record.code) == (DeliveryState.ACCEPTED, 250)
    texts = {got.recipient: got.content for got in relay.letters}
    assert b"your best" in texts[BEA]
    assert b"your own" in texts[ROSA]
    assert b"Subject: Foruma gel" in texts[EMMA]


@SQLITE
async def test_what_changed_in_the_settings_since_is_said(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    campaign_id = await launch_campaign(app)
    await send_campaigns(app)
    moved = replace(app, site=replace(app.site, url="https://letters.example.org"), signers=(SIGNER,))

    shown = await show_letter(moved, ADMIN, campaign_id, ROSA)

    assert shown.changes == (
        f"the site's url was https://{DOMAIN} at the launch, and https://letters.example.org now",
        f"the DKIM keys were none at the launch, and ours._domainkey.{DOMAIN} now",
    )


@SQLITE
async def test_a_letter_that_waits_is_shown_as_it_will_go_and_one_that_never_goes_is_not(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    campaign_id = await launch_campaign(app)

    waiting = await show_letter(app, ADMIN, campaign_id, ROSA)
    await pause(app, ADMIN, campaign_id)
    await cancel(app, ADMIN, campaign_id)
    await launch_due(app)
    cancelled = await show_letter(app, ADMIN, campaign_id, ROSA)

    assert waiting.letter is not None
    assert "Dear Rosa" in decode_part(waiting.letter, "text")
    assert (waiting.record.state, waiting.is_kept, waiting.record.attempts) == (DeliveryState.QUEUED, False, 0)
    assert (cancelled.record.state, cancelled.letter) == (DeliveryState.CANCELLED, None)


@SQLITE
async def test_a_masked_letter_is_the_same_without_a_token_that_could_be_used(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    campaign_id = await launch_campaign(app)
    await send_campaigns(app)
    exact = (await show_letter(app, ADMIN, campaign_id, ROSA)).letter
    shown = (await show_letter(app, ADMIN, campaign_id, ROSA, masked=True)).letter
    assert exact is not None
    assert shown is not None

    token = token_in(relay.letters[0], "leave").encode()
    assert exact.content.count(token) >= 3
    assert token not in shown.content
    assert shown.return_path == ""
    assert len(shown.content) == len(exact.content)
    for found in re.findall(rb"[a-z2-7]{29}", shown.content):
        for purpose in Purpose:
            with pytest.raises(TokenRefused):
                read_token(app.site.keyring, purpose, found.decode())


@SQLITE
async def test_who_was_never_on_the_list_who_came_later_and_who_was_erased_are_told_apart(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    campaign_id = await launch_campaign(app)
    await send_campaigns(app)
    await import_rows(app, f"{BEA},Bea,en")
    await receive_person_mail(app, "appeals-join", sender=EMMA, authenticated=True)
    await never_ask_again(app, token_in(relay.letters[-1], "confirm"), LINK_EVIDENCE, purpose=Purpose.CONFIRM)

    for address, words in {
        "nobody@example.org": "was not on the list",
        BEA: "joined later",
        EMMA: "was erased",
    }.items():
        with pytest.raises(NotFound, match=words):
            await show_letter(app, ADMIN, campaign_id, address)
    with pytest.raises(NotFound, match="no subscription 99"):
        await show_letter(app, ADMIN, campaign_id, 99)


@SQLITE
async def test_who_has_no_letter_is_told_whether_it_is_still_to_come_and_which_edition_waits(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Emma,tr")
    campaign_id = await new_campaign(app, ADMIN, list_name="appeals", texts={"a.md": APPEAL, "b.md": TURKISH})
    with pytest.raises(NotFound, match="it has not begun"):
        await show_letter(app, ADMIN, campaign_id, ROSA)
    await send_now(app, ADMIN, campaign_id, wait_s=0, audience=AudienceChoice(languages=("en",)))
    await launch_due(app)
    await send_campaigns(app)

    with pytest.raises(NotFound, match="another edition than those that were sent"):
        await show_letter(app, ADMIN, campaign_id, EMMA)
    assert [one.recipient for one in relay.letters] == [ROSA]


@SQLITE
async def test_a_person_has_all_letters_that_the_organiser_may_know_of(app: App, relay: FakeRelay) -> None:
    for name in ("appeals", "news"):
        await open_list(app, name)
        await import_rows(app, f"{ROSA},Rosa,en", list_name=name)
        await launch_campaign(app, name)
    await send_campaigns(app)
    await receive_person_mail(app, "appeals-help", sender=ROSA)
    await send_notices(app)

    everything = await list_letters(app, ADMIN, ROSA)
    of_news = Actor(
        name="ned@example.org", door=Door.CONSOLE, grants=(Grant(role=Role.EDITOR, mailing_list_id=2),), organiser_id=5
    )
    of_nothing = replace(of_news, grants=(Grant(role=Role.VIEWER, mailing_list_id=2),))
    some = await list_letters(app, of_news, ROSA)

    assert [one.campaign_id for one in everything.of_campaigns] == [2, 1]
    assert [one.kind for one in everything.notices] == [Kind.HELP]
    assert everything.of_campaigns[0].state is DeliveryState.ACCEPTED
    assert ([one.campaign_id for one in some.of_campaigns], some.notices) == ([2], ())
    with pytest.raises(NotPermitted):
        await list_letters(app, of_nothing, ROSA)
    with pytest.raises(NotFound):
        await list_letters(app, of_news, BEA)


RICH = """\
---
subject: Seeds
template: orchard
pictures: inline
attachments: [{programme}]
calendar: true
event: {{name: Forum, place: The old barn, starts: 2027-03-05T19:00, zone: Europe/Berlin}}
answers: https://forum.example.org/call
---
Dear {{{{ name or "all" }}}},

![Two apples]({apples})

{{% if language == "tr" %}}Gel!{{% else %}}Come!{{% endif %}}
"""


async def test_files_pictures_calendar_template_and_the_way_to_the_web_are_those_of_then(
    signing: App, again: Callable[[], App], relay: FakeRelay
) -> None:
    await open_list(signing)
    apples = await add_media(signing, ADMIN, list_name="appeals", name="apples.jpg", octets=photo())
    programme = await add_media(signing, ADMIN, list_name="appeals", name="programme.pdf", octets=PDF)
    look = {"archive": "subscribers", "logo": apples.path, "accent_color": "#1b6b59"}
    await signing.database.write(lambda tx: mailing_lists.change(tx, 1, look))
    await signing.database.write(_keep_template, signing, read_example())
    await import_rows(signing, f"{ROSA},Rosa,en", f"{EMMA},Emma,tr")
    text = RICH.format(programme=programme.path, apples=apples.path)
    campaign_id = await launch_campaign(signing, **{"a.md": text})
    await send_campaigns(signing)
    await change_everything(signing)
    await set_list(signing, ADMIN, "appeals", archive="off")
    await signing.database.write(_keep_template, signing, read_example().replace("<h1", "<h2").replace("</h1", "</h2"))
    later = replace(again(), signers=(SIGNER,))

    assert sorted(one.recipient for one in relay.letters) == [EMMA, ROSA]
    for got in relay.letters:
        shown = await show_letter(later, ADMIN, campaign_id, got.recipient)
        assert shown.letter is not None
        assert shown.letter.content == got.content
        masked = await show_letter(later, ADMIN, campaign_id, got.recipient, masked=True)
        assert masked.letter is not None
        assert token_in(got, "view").encode() not in masked.letter.content
        kinds = [part.get_content_type() for part in parse_letter(got).walk()]
        assert {"image/jpeg", "application/pdf", "text/calendar"} <= set(kinds)


def _keep_template(tx: Connection, app: App, source: str) -> None:
    letter_templates.add(tx, name="orchard", source=source, html=source, by="ada", now=app.clock())
