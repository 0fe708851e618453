"""The writing page over HTTP: saving by form and by script, two editors, editions, versions, the letter beside it."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from mailer.actions.campaigns.drafts import load_draft, save_draft
from mailer.app import App
from mailer.entrypoints.web.console.session_cookie import form_token
from tests.support.app_helpers import ADMIN
from tests.support.console_helpers import (
    ADA_OWNER,
    EMMA_EDITOR,
    TUANA_TRANSLATOR,
    VERA_VIEWER,
    Furniture,
    Person,
    furnished_app,
    http_browser,
)

SUBJECT, BODY = "Apples, and 50 % more <pears>", 'Dear {{ name or "friend" }},\n\nthe *orchard* is open.\n'


@pytest.fixture
async def app(furniture: Furniture, tmp_path: Path) -> AsyncIterator[App]:
    """A furnished house, its service not running."""
    made = furnished_app(furniture, tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def ada(app: App, furniture: Furniture) -> AsyncIterator[httpx.AsyncClient]:
    async with http_browser(app, furniture, ADA_OWNER) as browser:
        yield browser


@pytest.fixture
def page(furniture: Furniture) -> str:
    """The path of the English edition of the draft."""
    return f"/console/campaigns/{furniture.campaigns['draft']}/write/en"


def token(furniture: Furniture, who: Person = ADA_OWNER) -> str:
    return form_token(furniture.words[who.name])


def version_in(answer: httpx.Response) -> str:
    found = re.search(r'name="version" value="(\d+)"', answer.text)
    assert found
    return found[1]


async def save(
    browser: httpx.AsyncClient, furniture: Furniture, page: str, version: str, who: Person = ADA_OWNER, **fields: str
) -> httpx.Response:
    form = {"form_token": token(furniture, who), "version": version} | fields
    return await browser.post(page, data=form)


async def autosave(
    browser: httpx.AsyncClient, furniture: Furniture, page: str, version: str, who: Person = ADA_OWNER, **fields: str
) -> httpx.Response:
    headers = {"If-Match": f'"{version}"', "X-Form-Token": token(furniture, who)}
    return await browser.post(page, data=fields, headers=headers)


async def test_what_is_saved_by_the_form_is_shown_again(
    ada: httpx.AsyncClient, furniture: Furniture, page: str
) -> None:
    version = version_in(await ada.get(page))

    saved = await save(ada, furniture, page, version, subject=SUBJECT, body=BODY)
    shown = await ada.get(page)

    assert (saved.status_code, saved.headers["location"]) == (303, f"{page}?done=saved")
    assert f'value="{html.escape(SUBJECT)}"' in shown.text
    assert html.escape(BODY, quote=True).replace("&#x27;", "'").replace("&quot;", "&#34;") in shown.text


async def test_a_script_saves_and_hears_how_the_text_stands(
    ada: httpx.AsyncClient, app: App, furniture: Furniture, page: str
) -> None:
    version = version_in(await ada.get(page))

    first = await autosave(ada, furniture, page, version, subject="Apples", body="One\n\nTK\n")
    second = await autosave(ada, furniture, page, str(first.json()["version"]), subject="Apples", body="One\n")

    assert first.status_code == 200
    assert first.json()["problems"][0] | {"sentence": ""} == {
        "severity": "warning",
        "sentence": "",
        "control": "body",
        "line": 3,
    }
    assert second.json()["problems"] == []
    draft = await load_draft(app, ADMIN, furniture.campaigns["draft"], "en")
    assert draft.text.endswith("One\n")


async def test_two_editors_lose_nothing_and_the_second_hears_who_was_first(
    ada: httpx.AsyncClient, app: App, furniture: Furniture, page: str
) -> None:
    version = version_in(await ada.get(page))
    async with http_browser(app, furniture, EMMA_EDITOR) as emma:
        await autosave(emma, furniture, page, version, EMMA_EDITOR, subject="Emma's", body="Emma's text\n")

    by_script = await autosave(ada, furniture, page, version, subject="Ada's", body="Ada's text\n")
    both = await save(ada, furniture, page, version, subject="Ada's", body="Ada's text\n")
    versions = await ada.get(f"{page}/versions")

    assert (by_script.status_code, by_script.json()["by"]) == (412, "emma@example.org")
    assert both.status_code == 409
    assert all(one in both.text for one in ("emma@example.org", "Emma&#39;s text", "Ada&#39;s text"))
    assert "set aside" in versions.text
    now_by = version_in(both)
    merged = await save(ada, furniture, page, now_by, subject="Both", body="Emma's and Ada's text\n")
    assert merged.status_code == 303


async def test_the_way_back_to_an_earlier_version(ada: httpx.AsyncClient, furniture: Furniture, page: str) -> None:
    before = version_in(await ada.get(page))
    await save(ada, furniture, page, before, subject="New", body="New text\n")
    now = version_in(await ada.get(page))

    old = await ada.get(f"{page}/versions?version={before}")
    restored = await ada.post(
        f"{page}/versions/{before}/restore", data={"form_token": token(furniture), "current": now}
    )
    shown = await ada.get(page)

    assert "bring **your own** seeds" in old.text
    assert restored.status_code == 303
    assert "bring **your own** seeds" in shown.text
    assert "New text" in (await ada.get(f"{page}/versions?version={now}")).text


async def test_buttons_lead_on_after_saving(ada: httpx.AsyncClient, furniture: Furniture, page: str) -> None:
    campaign = page.removesuffix("/write/en")
    places = {}
    for go in ("review", "tr", "nowhere"):
        version = version_in(await ada.get(page))
        answer = await save(ada, furniture, page, version, subject=f"To {go}", go=go)
        places[go] = answer.headers["location"]
    shown = await save(ada, furniture, page, version_in(await ada.get(page)), view="dark", reader="sample:rtl")

    assert places == {"review": f"{campaign}/review", "tr": f"{campaign}/write/tr", "nowhere": f"{page}?done=saved"}
    assert shown.headers["location"] == f"{page}?done=saved&view=dark&reader=sample%3Artl"
    frame = (await ada.get(shown.headers["location"])).text
    assert f'src="{campaign}/preview/en?reader=sample%3Artl&amp;view=dark"' in frame


async def test_a_text_whose_front_matter_is_broken_is_edited_whole(
    ada: httpx.AsyncClient, app: App, furniture: Furniture, page: str
) -> None:
    number = furniture.campaigns["draft"]
    draft = await load_draft(app, ADMIN, number, "en")
    await save_draft(app, ADMIN, number, "en", version=draft.version, text="---\nsubject: [\n---\nHello\n")

    broken = await ada.get(page)
    mended = await save(ada, furniture, page, version_in(broken), text="---\nsubject: Mended\n---\nHello\n")

    assert 'name="text"' in broken.text
    assert 'name="body"' not in broken.text
    assert mended.status_code == 303
    assert 'value="Mended"' in (await ada.get(page)).text


async def test_a_text_that_is_too_long_is_refused_and_still_in_the_form(
    ada: httpx.AsyncClient, furniture: Furniture, page: str
) -> None:
    version = version_in(await ada.get(page))

    by_form = await save(ada, furniture, page, version, subject="Long", body="many words " * 10_000)
    by_script = await autosave(ada, furniture, page, version, subject="Long", body="many words " * 10_000)

    assert by_form.status_code == 422
    assert "many words many words" in by_form.text
    assert by_script.status_code == 422
    assert "too many" in by_script.json()["problem"]


async def test_a_viewer_reads_and_a_translator_writes_one_language(app: App, furniture: Furniture, page: str) -> None:
    turkish = page.replace("/en", "/tr")
    async with http_browser(app, furniture, VERA_VIEWER) as vera:
        seen = await vera.get(page)
        refused = await autosave(vera, furniture, page, "0", VERA_VIEWER, subject="No")
    async with http_browser(app, furniture, TUANA_TRANSLATOR) as tuana:
        version = version_in(await tuana.get(turkish))
        own = await autosave(tuana, furniture, turkish, version, TUANA_TRANSLATOR, subject="Elmalar")
        other = await autosave(tuana, furniture, page, "0", TUANA_TRANSLATOR, subject="No")

    assert "write." not in seen.text.split("</head>")[0]
    assert "bring **your own** seeds" in seen.text
    assert (refused.status_code, own.status_code, other.status_code) == (403, 200, 403)


async def test_a_script_without_the_token_of_its_session_saves_nothing(
    ada: httpx.AsyncClient, furniture: Furniture, page: str
) -> None:
    version = version_in(await ada.get(page))

    for wrong in ("", "0" * 32, token(furniture, EMMA_EDITOR)):
        headers = {"If-Match": f'"{version}"', "X-Form-Token": wrong}
        assert (await ada.post(page, data={"subject": "No"}, headers=headers)).status_code == 403

    assert version_in(await ada.get(page)) == version


async def test_an_edition_is_added_translated_and_removed(
    ada: httpx.AsyncClient, furniture: Furniture, page: str
) -> None:
    campaign, form = page.removesuffix("/write/en"), {"form_token": token(furniture)}

    added = await ada.post(f"{campaign}/editions", data=form | {"language": "ar"})
    arabic = f"{campaign}/write/ar"
    shown = await ada.get(arabic)
    again = await ada.post(f"{campaign}/editions", data=form | {"language": "ar"})
    removed = await ada.post(f"{arabic}/remove", data=form)

    assert added.headers["location"] == f"{arabic}?done=edition-added"
    assert 'lang="ar"' in shown.text
    assert "not written yet" in shown.text
    assert again.status_code == 409
    assert removed.status_code == 303
    assert (await ada.get(arabic)).status_code == 404


async def test_an_edition_older_than_its_source_is_stale_until_somebody_says_otherwise(
    ada: httpx.AsyncClient, furniture: Furniture, page: str
) -> None:
    turkish = page.replace("/en", "/tr")
    await save(ada, furniture, turkish, version_in(await ada.get(turkish)), subject="Elmalar", body="Elmalar.\n")
    await save(ada, furniture, page, version_in(await ada.get(page)), subject="Pears", body="Pears now.\n")

    stale = await ada.get(turkish)
    await ada.post(f"{turkish}/up-to-date", data={"form_token": token(furniture)})
    fresh = await ada.get(turkish)

    assert "stale since you changed English" in stale.text
    assert "stale since" not in fresh.text


@pytest.mark.parametrize("view", ["html", "dark", "text", "source"])
async def test_the_letter_is_shown_in_a_frame_that_no_script_runs_in(
    ada: httpx.AsyncClient, page: str, view: str
) -> None:
    letter = await ada.get(page.replace("/write/", "/preview/"), params={"view": view, "reader": "sample:plain"})

    policy = letter.headers["content-security-policy"]
    assert letter.status_code == 200
    assert "Rosa" in letter.text
    assert "sandbox" in policy
    assert "script" not in policy
    assert "frame-ancestors 'self'" in policy
    if view == "dark":
        assert "@media all" in letter.text
        assert "prefers-color-scheme" not in letter.text.replace("color-scheme: light dark", "")


async def test_the_letter_of_a_reader_is_shown_to_who_may_see_people(
    app: App, ada: httpx.AsyncClient, furniture: Furniture, page: str
) -> None:
    preview = page.replace("/write/", "/preview/")

    real = await ada.get(preview, params={"view": "text", "reader": "appeals0@example.org"})
    unknown = await ada.get(preview, params={"view": "text", "reader": "nobody@example.org"})
    async with http_browser(app, furniture, VERA_VIEWER) as vera:
        hidden = await vera.get(preview, params={"view": "text", "reader": "appeals0@example.org"})
        invented = await vera.get(preview, params={"view": "text", "reader": "sample:plain"})

    assert "Dear Rosa" in real.text
    assert unknown.status_code == 404
    assert hidden.status_code == 404
    assert "appeals0" not in hidden.text
    assert invented.status_code == 200


async def test_what_cannot_be_shown_says_why_in_the_frame(
    ada: httpx.AsyncClient, furniture: Furniture, page: str
) -> None:
    version = version_in(await ada.get(page))
    await save(ada, furniture, page, version, subject="Broken", body="Hello {{ nam\n")

    letter = await ada.get(page.replace("/write/", "/preview/"))
    shown = await ada.get(page)

    assert letter.status_code == 200
    assert "{{" in letter.text
    assert "Nothing to mend" not in shown.text.split('id="checks"')[1]


async def test_all_keys_are_on_their_page_and_each_key_of_a_page_is_in_the_table(
    ada: httpx.AsyncClient, page: str
) -> None:
    table = (await ada.get("/console/keys")).text
    used = set(re.findall(r'data-key="([^"]+)"', (await ada.get(page)).text))

    assert {"g t", "g c", "g s", "g l", "g e", "Control+s", "Control+Enter", "?"} <= used
    for keys in used:
        last = keys.replace("+", " ").split(" ")[-1]
        assert f"<kbd>{last}</kbd>" in table
