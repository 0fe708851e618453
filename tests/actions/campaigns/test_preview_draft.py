"""A draft as one person gets it, before it is saved; and who may look as whom."""

from __future__ import annotations

import pytest

from mailer.actions.campaigns.choose_readers import ReaderTrait, choose_readers
from mailer.actions.campaigns.drafts import new_letter, save_draft
from mailer.actions.campaigns.editions import add_edition
from mailer.actions.campaigns.preview import preview
from mailer.actions.campaigns.preview_draft import preview_draft
from mailer.actions.subscriptions.unsubscribe import unsubscribe
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.role import Grant, Role
from mailer.domain.draft import SAMPLE_READERS, SampleReader
from mailer.domain.token import Purpose, sign_token
from mailer.errors import AddressRefused, CampaignFileRefused, NotFound, NotPermitted
from mailer.mail.message.letter import decode_part, preview_letter
from tests.support.app_helpers import ADMIN, BEA, EMMA, LINK_EVIDENCE, ROSA, import_rows, open_list

LEILA = "layla@example.org"
VERA = Actor(name="vera@example.org", door=Door.CONSOLE, grants=(Grant(role=Role.VIEWER),), organiser_id=5)


@pytest.fixture
async def letter(app: App) -> int:
    """A letter in English and German for Rosa, who reads Turkish, Emma, of whom no name is known, and Leila."""
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,tr", f"{EMMA},,en", f"{LEILA},ليلى,ar")
    number = await new_letter(app, ADMIN, list_name="appeals")
    fields = {"subject": "Come, {{ name or 'friend' }}", "body": "Dear {{ name or 'friend' }}, as saved."}
    await save_draft(app, ADMIN, number, "en", version=1, fields=fields)
    await add_edition(app, ADMIN, number, "de")
    return number


async def test_the_draft_is_shown_as_a_reader_of_the_list_would_get_it(app: App, letter: int) -> None:
    shown = preview_letter(await preview_draft(app, ADMIN, letter, "en", reader=ROSA))

    assert (shown["recipient"], shown["subject"]) == (ROSA, "Come, Rosa")
    assert "Dear Rosa, as saved." in shown["text"]


async def test_what_is_being_typed_is_shown_before_it_is_saved(app: App, letter: int) -> None:
    by_field = await preview_draft(app, ADMIN, letter, "en", fields={"body": "Typed *now*"})
    by_text = await preview_draft(app, ADMIN, letter, "en", text="---\nsubject: Other\n---\nWhole")

    assert "Typed <em>now</em>" in decode_part(by_field, "html")
    assert preview_letter(by_field)["subject"] == "Come, friend"
    assert preview_letter(by_text)["subject"] == "Other"
    assert "as saved" in decode_part(await preview_draft(app, ADMIN, letter, "en"), "text")


async def test_a_letter_without_subject_or_text_yet_can_be_looked_at(app: App, letter: int) -> None:
    shown = preview_letter(await preview_draft(app, ADMIN, letter, "en", fields={"subject": "", "body": ""}))

    assert shown["subject"] == "..."


async def test_the_template_speaks_the_readers_language(app: App, letter: int) -> None:
    english = await preview_draft(app, ADMIN, letter, "en", reader=SampleReader(language="en"))
    turkish = await preview_draft(app, ADMIN, letter, "en", reader=SampleReader(language="tr", name="Rosa"))

    assert decode_part(english, "html") != decode_part(turkish, "html")
    assert 'lang="tr"' in decode_part(turkish, "html") or "tr" in decode_part(turkish, "html")


async def test_only_who_may_see_people_looks_as_one_of_them(app: App, letter: int) -> None:
    with pytest.raises(NotPermitted):
        await preview_draft(app, VERA, letter, "en", reader=ROSA)
    with pytest.raises(NotPermitted):
        await preview_draft(app, VERA, letter, "en", reader=1)
    assert await preview_draft(app, VERA, letter, "en", reader=SAMPLE_READERS["rtl"])


async def test_who_does_not_read_the_list_is_not_found(app: App, letter: int) -> None:
    await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, 2), LINK_EVIDENCE)

    for other in (BEA, EMMA, 2, 99):
        with pytest.raises(NotFound):
            await preview_draft(app, ADMIN, letter, "en", reader=other)
    with pytest.raises(AddressRefused):
        await preview_draft(app, ADMIN, letter, "en", reader="no address")


async def test_a_mistake_is_told_with_its_line(app: App, letter: int) -> None:
    with pytest.raises(CampaignFileRefused, match="line 5"):
        await preview_draft(app, ADMIN, letter, "en", fields={"body": "Dear {{ name }}"})
    with pytest.raises(CampaignFileRefused, match="too many"):
        await preview_draft(app, ADMIN, letter, "en", fields={"body": "x" * 100_001})
    with pytest.raises(NotFound):
        await preview_draft(app, ADMIN, letter, "sw")


async def test_the_command_shows_the_edition_in_the_readers_language(app: App, letter: int) -> None:
    version = 1
    await save_draft(app, ADMIN, letter, "de", version=version, fields={"subject": "Kommt"})

    german = (await preview(app, ADMIN, letter, name="Rosa", language="de-at")).letter
    other = (await preview(app, ADMIN, letter, to=BEA, name="Bea", language="sw")).letter

    assert preview_letter(german)["subject"] == "Kommt"
    assert (preview_letter(other)["recipient"], preview_letter(other)["subject"]) == (BEA, "Come, Bea")


async def test_readers_are_chosen_for_their_difference(app: App, letter: int) -> None:
    await import_rows(app, *(f"person{number}@example.org,Jo,en" for number in range(6)))

    chosen = await choose_readers(app, ADMIN, letter)

    assert [(one.address, one.trait, one.edition) for one in chosen] == [
        (ROSA, ReaderTrait.LONGEST_NAME, "en"),
        (EMMA, ReaderTrait.NO_NAME, "en"),
        (LEILA, ReaderTrait.RIGHT_TO_LEFT, "en"),
        ("rosa@example.org", ReaderTrait.EDITION, "de"),
        ("person0@example.org", ReaderTrait.ANY, "en"),
    ]
    assert [one.sample for one in chosen] == [None, None, None, "plain", None]
    for one in chosen:
        reader = one.subscription_id or SAMPLE_READERS[one.sample or ""]
        assert await preview_draft(app, ADMIN, letter, one.edition, reader=reader)


async def test_who_may_not_see_people_gets_invented_readers(app: App, letter: int) -> None:
    chosen = await choose_readers(app, VERA, letter)

    assert [one.subscription_id for one in chosen] == [None] * 5
    assert not {one.address for one in chosen} & {EMMA, LEILA}
    assert {one.edition for one in chosen} == {"en", "de"}


async def test_nobody_who_gets_no_letter_is_chosen(app: App, letter: int) -> None:
    for number in (1, 2, 3):
        await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, number), LINK_EVIDENCE)

    assert {one.sample for one in await choose_readers(app, ADMIN, letter)} == {"long", "nameless", "rtl", "plain"}
