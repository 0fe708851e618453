"""Organisers' templates are tried before they are kept, and a launched letter keeps the one it was launched with."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from mailer.actions.accounts.show_audit_log import audit_page
from mailer.actions.campaigns.checked_drafts import check_drafts
from mailer.actions.campaigns.correct import correct
from mailer.actions.campaigns.drafts import load_draft, save_draft
from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.pause_resume_cancel import pause, resume
from mailer.actions.campaigns.schedule import send_now
from mailer.actions.campaigns.show_letter import show_letter
from mailer.actions.templates.add_template import add_template
from mailer.actions.templates.remove_template import remove_template
from mailer.actions.templates.show_templates import list_templates, show_template, template_names
from mailer.app import App
from mailer.domain.accounts.role import Permission
from mailer.errors import CampaignFileRefused, NotFound, TemplateRefused, WrongState
from mailer.store.letters import letter_templates
from tests.support.app_helpers import (
    ADMIN,
    APPEAL,
    EMMA,
    ROSA,
    import_rows,
    launch_campaign,
    open_list,
    parse_letter,
    send_campaigns,
)
from tests.support.fake_relay import FakeRelay
from tests.support.fake_relay_session import ReceivedLetter
from tests.support.own_templates import LINE_IN_HTML, OWN_HTML, OWN_MJML, with_line

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
OWN_APPEAL = APPEAL.replace("subject:", "template: orchard\nsubject:", 1)


def html_of(letter: ReceivedLetter) -> str:
    body = parse_letter(letter).get_body(("html",))
    assert body is not None
    return str(body.get_content())


def marked(word: str) -> str:
    """The template, with a word in its head row."""
    return OWN_HTML.replace("<h1>", f"<p>{word}</p><h1>")


async def test_letters_are_poured_into_it_for_everybody_in_their_language(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Emma <b>,tr")
    await add_template(app, ADMIN, "orchard", marked("Of the orchard"))
    turkish = OWN_APPEAL.replace("\nsubject:", "\nlanguage: tr\nsubject:", 1)

    await launch_campaign(app, **{"en.md": OWN_APPEAL, "tr.md": turkish})
    await send_campaigns(app)

    letters = {letter.recipient: html_of(letter) for letter in relay.letters}
    assert all("<p>Of the orchard</p>" in html for html in letters.values())
    assert "Dear Rosa," in letters[ROSA]
    assert "Dear Emma &lt;b&gt;," in letters[EMMA]
    assert "Leave this list" in letters[ROSA]
    assert "Bu listeden" in letters[EMMA]
    assert '<html lang="tr" dir="ltr"' in letters[EMMA]


async def test_a_launched_letter_keeps_its_template_whatever_becomes_of_it(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Emma,en")
    await add_template(app, ADMIN, "orchard", marked("first look"))
    relay.answers("rcpt", "452 4.2.2 mailbox full", address=EMMA, nth=1)
    campaign_id = await launch_campaign(app, **{"appeal.md": OWN_APPEAL})
    await send_campaigns(app)

    await add_template(app, ADMIN, "orchard", marked("second look"))
    await remove_template(app, ADMIN, "orchard")

    again = await show_letter(app, ADMIN, campaign_id, ROSA)
    assert again.letter is not None
    assert again.letter.content == relay.letters[0].content
    assert "first look" in html_of(relay.letters[0])


@pytest.mark.slow
async def test_a_corrected_letter_has_the_newest_version(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    await add_template(app, ADMIN, "orchard", marked("first look"))
    campaign_id = await launch_campaign(app, **{"appeal.md": OWN_APPEAL})
    await add_template(app, ADMIN, "orchard", marked("second look"))

    await pause(app, ADMIN, campaign_id)
    await correct(app, ADMIN, campaign_id, texts={"appeal.md": OWN_APPEAL.replace("your own", "your best")})
    await resume(app, ADMIN, campaign_id)
    await send_campaigns(app)

    assert "your best" in html_of(relay.letters[0])
    assert "second look" in html_of(relay.letters[0])


@SQLITE
@pytest.mark.slow
async def test_a_scheduled_letter_gets_the_newest_version(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    await add_template(app, ADMIN, "orchard", marked("first look"))
    campaign_id = await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": OWN_APPEAL})
    await send_now(app, ADMIN, campaign_id, wait_s=0)
    await add_template(app, ADMIN, "orchard", marked("second look"))

    await launch_due(app)
    await send_campaigns(app)

    assert "second look" in html_of(relay.letters[0])


@pytest.mark.slow
async def test_each_other_source_is_a_version_and_the_same_one_is_none(app: App) -> None:
    first, _ = await add_template(app, ADMIN, "orchard", OWN_HTML)
    same, _ = await add_template(app, ADMIN, "orchard", OWN_HTML)
    second, _ = await add_template(app, ADMIN, "orchard", OWN_MJML)

    found = await show_template(app, ADMIN, "orchard")

    assert first.id == same.id
    assert [one.id for one in found.versions] == [second.id, first.id]
    assert (found.template.source, found.current_id) == (OWN_MJML, second.id)
    assert "<mj" not in found.template.html
    assert (await show_template(app, ADMIN, "orchard", first.id)).template.source == OWN_HTML
    assert [one.name for one in await list_templates(app, ADMIN)] == ["orchard"]
    acts = [(line.act, line.subject, line.after) for line in (await audit_page(app, ADMIN)).items]
    assert acts[0][:2] == ("add template", "template orchard")
    assert acts[0][2] == {"version": second.id, "characters": len(OWN_MJML)}
    assert len(acts) == 2


@SQLITE
@pytest.mark.parametrize(
    ("name", "source", "why"),
    [
        ("appeal", OWN_HTML, "is a template of the house"),
        ("Orchard", OWN_HTML, "cannot be a template's name"),
        ("a" * 41, OWN_HTML, "cannot be a template's name"),
        ("../x", OWN_HTML, "cannot be a template's name"),
        ("orchard", with_line("<script></script>"), f"line {LINE_IN_HTML}: <script> cannot stand"),
        ("orchard", with_line("{{ leed }}{{ leed.x }}"), "and 1 more"),
        ("orchard", OWN_HTML.replace("{{ body }}", ""), "the body does not show"),
        (
            "orchard",
            with_line('<img src="{{ site_url }}/media/' + "a" * 32 + '/tree-9x9.png" alt="">'),
            f"line {LINE_IN_HTML}: there is no picture /media/{'a' * 32}/tree-9x9.png",
        ),
    ],
)
async def test_what_no_letter_may_have_is_not_kept(app: App, name: str, source: str, why: str) -> None:
    with pytest.raises(TemplateRefused) as refusal:
        await add_template(app, ADMIN, name, source)

    assert why in str(refusal.value)
    assert await list_templates(app, ADMIN) == []


async def test_a_template_that_a_text_names_is_not_removed(app: App) -> None:
    await open_list(app)
    await add_template(app, ADMIN, "orchard", OWN_HTML)
    campaign_id = await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": OWN_APPEAL})

    with pytest.raises(WrongState, match=f"campaign {campaign_id}"):
        await remove_template(app, ADMIN, "orchard")

    draft = await load_draft(app, ADMIN, campaign_id, "en")
    await save_draft(app, ADMIN, campaign_id, "en", version=draft.version, text=APPEAL)
    await remove_template(app, ADMIN, "orchard")
    assert "orchard" not in await template_names(app, ADMIN)
    with pytest.raises(NotFound):
        await remove_template(app, ADMIN, "orchard")


@SQLITE
async def test_a_text_that_names_no_template_is_told_which_there_are(app: App) -> None:
    await open_list(app)
    await add_template(app, ADMIN, "orchard", OWN_HTML)
    lost = OWN_APPEAL.replace("orchard", "orchids")

    with pytest.raises(CampaignFileRefused, match=r"line 2: .*'orchids'; there are .*appeal, .*plain, .*orchard"):
        await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": lost})

    campaign_id = await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": OWN_APPEAL})
    await save_draft(app, ADMIN, campaign_id, "en", version=0, text=lost)
    problems = (await check_drafts(app, ADMIN, Permission.READ, campaign_id)).problems["en"]
    assert [(one.line, one.field) for one in problems] == [(2, "template")]


@SQLITE
async def test_a_row_that_never_was_checked_makes_no_letter(app: App) -> None:
    """As when a database comes from elsewhere, or a later version allows less."""
    await open_list(app)

    def smuggle(tx: Connection) -> None:
        letter_templates.add(
            tx, name="orchard", source="", html="{{ ''.__class__.__mro__ }}", by="mallory", now=app.clock()
        )

    await app.database.write(smuggle)

    with pytest.raises(CampaignFileRefused, match="must be handed in again"):
        await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": OWN_APPEAL})
