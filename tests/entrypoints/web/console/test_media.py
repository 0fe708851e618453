"""Pictures and attachments on the page where a letter is written: by the form alone, and by its script."""

from __future__ import annotations

import re

import httpx
import pytest

from mailer.actions.campaigns.drafts import load_draft, new_letter, save_draft
from mailer.actions.lists.media import all_media
from mailer.app import App
from tests.support.app_helpers import ADMIN
from tests.support.console_client import ConsoleClient
from tests.support.media_samples import PDF, photo

APPLES = ("Red apples.jpg", photo(), "image/jpeg")
PROGRAMME = ("Şenlik.pdf", PDF, "application/pdf")


@pytest.fixture
async def page(app: App, emma: ConsoleClient) -> str:
    """The path of a new letter's text."""
    return f"/console/campaigns/{await new_letter(app, ADMIN, list_name='appeals')}/write/en"


async def stored(app: App) -> str:
    return (await load_draft(app, ADMIN, 1, "en")).text


async def add(
    emma: ConsoleClient, page: str, file: tuple[str, bytes, str], version: int = 1, **fields: str
) -> httpx.Response:
    """Post the form of the page with a file."""
    form = {"version": str(version), "subject": "Come", "body": "Dear all.\r\n", "attachments": ""} | fields
    return await emma.send_files(f"{page}/media", {"media": file}, **form)


async def test_a_picture_stands_at_the_end_of_what_was_written_and_that_is_saved(
    app: App, emma: ConsoleClient, page: str
) -> None:
    answer = await add(emma, page, APPLES, media_alt="Red [ripe]\napples")
    frame = (await emma.get(page.replace("write", "preview"))).text
    (picture,) = await all_media(app, ADMIN)

    assert answer.headers["location"] == f"{page}?done=media-added"
    assert f"Dear all.\n\n![Red (ripe) apples]({picture.file.path})\n" in await stored(app)
    # The frame shows it from where the console is, whatever name the site has.
    assert f'src="{picture.file.path}"' in frame


async def test_an_attachment_is_listed_and_taken_out_again(app: App, emma: ConsoleClient, page: str) -> None:
    await add(emma, page, PROGRAMME)
    shown = (await emma.get(page)).text
    (file,) = await all_media(app, ADMIN)
    with_file = await stored(app)
    removed = await emma.send_form(
        f"{page}/media", version="2", subject="Come", attachments=file.file.path, remove=file.file.path
    )

    assert f"attachments: [{file.file.path}]" in with_file
    assert f'<button name="remove" value="{file.file.path}"' in shown
    assert removed.headers["location"] == f"{page}?done=saved"
    assert "attachments" not in await stored(app)


async def test_the_source_in_the_frame_shows_the_beginning_of_a_file(emma: ConsoleClient, page: str) -> None:
    await add(emma, page, ("seeds.txt", b"a bean\n" * 100_000, "text/plain"))

    source = (await emma.get(page.replace("write", "preview"), params={"view": "source"})).text

    assert "more octets]" in source
    assert "seeds.txt" in source
    assert len(source) < 100_000


async def test_the_whole_file_takes_them_too(app: App, emma: ConsoleClient, page: str) -> None:
    text = "---\nsubject: Come  # all\n---\nDear all.\n"

    first = await emma.send_files(f"{page}/media", {"media": PROGRAMME}, version="1", text=text)
    text = await stored(app)
    second = await emma.send_files(f"{page}/media", {"media": APPLES}, version="2", text=text, media_alt="Apples")

    assert first.headers["location"] == second.headers["location"] == f"{page}?done=media-added&file=1"
    assert re.fullmatch(
        r"---\nsubject: Come  # all\nattachments: \[/media/\S+\.pdf\]\n---\nDear all\.\n\n!\[Apples\]\(/media/\S+\)\n",
        await stored(app),
    )


async def test_a_script_is_given_the_path_and_puts_it_in_itself(app: App, emma: ConsoleClient, page: str) -> None:
    before, files = await stored(app), {"media": APPLES}

    answer = await emma.post(
        f"{page}/media", data={"form_token": emma.token}, files=files, headers={"Accept": "application/json"}
    )
    refused = await emma.post(
        f"{page}/media",
        data={"form_token": emma.token},
        files={"media": ("run.sh", b"#!/bin/sh", "text/plain")},
        headers={"Accept": "application/json"},
    )

    (picture,) = await all_media(app, ADMIN)
    assert answer.json() == {"path": picture.file.path, "is_picture": True}
    assert (refused.status_code, "run.sh cannot be in a letter" in refused.json()["problem"]) == (422, True)
    assert await stored(app) == before


async def test_what_is_refused_keeps_what_was_written(app: App, emma: ConsoleClient, page: str) -> None:
    before = await stored(app)

    answers = [
        await add(emma, page, ("a.jpg", photo()[:400], "image/jpeg"), body="Not lost."),
        await add(emma, page, ("run.sh", b"#!/bin/sh", "text/plain"), body="Not lost."),
        await emma.send_form(f"{page}/media", version="1", subject="Come", body="Not lost."),
    ]

    assert [one.status_code for one in answers] == [422, 422, 422]
    assert all("Not lost." in one.text and 'href="#media"' in one.text for one in answers)
    assert "a.jpg is damaged or cut off" in answers[0].text
    assert await stored(app) == before


async def test_a_text_that_somebody_else_saved_meanwhile_is_not_overwritten(
    app: App, emma: ConsoleClient, page: str
) -> None:
    await save_draft(app, ADMIN, 1, "en", version=1, fields={"body": "Theirs."})

    answer = await add(emma, page, APPLES, media_alt="Apples", body="Mine.")

    assert answer.status_code == 412
    assert "Theirs." in await stored(app)
    assert "Mine." in answer.text


async def test_a_file_may_be_large_and_a_larger_one_is_refused(emma: ConsoleClient, page: str) -> None:
    noise = ("a.txt", b"a" * 4_900_000, "text/plain")

    assert (await add(emma, page, noise)).status_code == 303
    assert (await add(emma, page, ("b.txt", b"a" * 5_300_000, "text/plain"), version=2)).status_code == 422
    assert (await add(emma, page, ("c.txt", b"a" * 12_000_000, "text/plain"), version=2)).status_code == 413
