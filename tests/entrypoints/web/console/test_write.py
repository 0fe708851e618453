"""The writing page over HTTP: saving by form and by script, two editors, editions, versions, the letter beside it."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from mailer.actions.campaigns.drafts import load_draft, save_draft
from mailer.actions.templates.add_template import add_template
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
    http_browser,
)
from tests.support.own_templates import OWN_HTML

SUBJECT, BODY = "Apples, and 50 % more <pears>", 'Dear {{ name or "friend" }},\n\nthe *orchard* is open.\n'


@pytest.fixture
async def ada(house_app: App, furniture: Furniture) -> AsyncIterator[httpx.AsyncClient]:
    async with http_browser(house_app, furniture, ADA_OWNER) as browser:
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
    headers = {"If-Match": f'"{version}"'}
    return await browser.post(page, data={"form_token": token(furniture, who)} | fields, headers=headers)


async def test_what_is_saved_by_the_form_is_shown_again(
    ada: httpx.AsyncClient, furniture: Furniture, page: str
) -> None:
    version = version_in(await ada.get(page))

    saved = await save(ada, furniture, page, version, subject=SUBJECT, body=BODY)
    shown = await ada.get(page)

    assert (saved.status_code, saved.headers["location"]) == (303, f"{page}?done=saved")
    assert f'value="{html.escape(SUBJECT)}"' in shown.text
    assert html.escape(BODY, quote=True).replace("&#x27;", "'").replace("&quot;", "&#34;") in shown.text


async def test_a_script_saves_and_gets_the_parts_of_the_page_that_changed(
    ada: httpx.AsyncClient, house_app: App, furniture: Furniture, page: str
) -> None:
    version = version_in(await ada.get(page))

    first = await autosave(ada, furniture, page, version, subject="Apples", body="One\n\nTK\n")
    second = await autosave(ada, furniture, page, first.headers["etag"].strip('"'), subject="Apples", body="One\n")

    assert first.status_code == second.status_code == 200
    assert {"tabs", "problems", "numbers"} <= set(re.findall(r'id="([\w-]+)"', first.text))
    assert '<a href="#body" data-line="3">Line 3</a>' in first.text
    assert "Nothing to mend." in second.text
    assert "form_token" not in first.text
    draft = await load_draft(house_app, ADMIN, furniture.campaigns["draft"], "en")
    assert draft.text.endswith("One\n")


async def test_two_editors_lose_nothing_and_the_second_sees_both_texts_and_who(
    ada: httpx.AsyncClient, house_app: App, furniture: Furniture, page: str
) -> None:
    version = version_in(await ada.get(page))
    async with http_browser(house_app, furniture, EMMA_EDITOR) as emma:
        await autosave(emma, furniture, page, version, EMMA_EDITOR, subject="Emma's", body="Emma's text\n")

    by_script = await autosave(ada, furniture, page, version, subject="Ada's", body="Ada's text\n")
    by_form = await save(ada, furniture, page, version, subject="Ada's", body="Ada's text\n")

    for both in (by_script, by_form):
        assert both.status_code == 412
        assert "emma@example.org saved another text" in both.text
        assert all(f"<mark>{one}</mark>" in both.text for one in ("Emma&#39;s text", "Ada&#39;s text"))
    assert "kept aside" in (await ada.get(f"{page}/versions")).text
    (path,) = re.findall(r'action="([^"]*/restore)"', by_form.text)
    (seen,) = re.findall(r'name="seen" value="(\d+)"', by_form.text)
    mine = await ada.post(path, data={"form_token": token(furniture), "seen": seen})
    assert mine.status_code == 303
    assert "Ada&#39;s text" in (await ada.get(page)).text
    assert "Emma&#39;s text" in (await ada.get(f"{page}/versions/{seen}")).text


async def test_the_way_back_to_an_earlier_version(ada: httpx.AsyncClient, furniture: Furniture, page: str) -> None:
    now = version_in(await ada.get(page))
    await autosave(ada, furniture, page, now, subject="New", body="New text\n")
    newest = version_in(await ada.get(page))
    restore = f"{page}/versions/{now}/restore"

    old = await ada.get(f"{page}/versions/{now}")
    too_late = await ada.post(restore, data={"form_token": token(furniture), "seen": now})
    restored = await ada.post(restore, data={"form_token": token(furniture), "seen": newest})
    shown = await ada.get(page)

    assert "<mark>bring **your own** seeds.</mark>" in old.text
    assert "<mark>New text</mark>" in old.text
    assert too_late.status_code == 412, "somebody saved since that page was opened"
    assert restored.status_code == 303
    assert "bring **your own** seeds" in shown.text
    assert "New text" in (await ada.get(f"{page}/versions/{newest}")).text
    assert (await ada.get(f"{page}/versions/999")).status_code == 404


async def test_buttons_lead_on_after_saving(ada: httpx.AsyncClient, furniture: Furniture, page: str) -> None:
    campaign, places = page.removesuffix("/write/en"), {}

    for then in ("review", "live", "https://elsewhere.example"):
        version = version_in(await ada.get(page))
        answer = await save(ada, furniture, page, version, subject=f"To {then}", then=then)
        places[then] = answer.headers["location"]

    assert places == {
        "review": f"{campaign}/review",
        "live": f"{campaign}/live",
        "https://elsewhere.example": f"{page}?done=saved",
    }
    assert (await ada.get(f"{campaign}/write")).headers["location"] == page


async def test_a_form_without_a_version_is_refused(ada: httpx.AsyncClient, furniture: Furniture, page: str) -> None:
    for version in ("", "x", "-1", "9" * 30):
        assert (await save(ada, furniture, page, version, subject="No")).status_code == 422


async def test_the_whole_file_can_be_written_too_with_its_comments(
    ada: httpx.AsyncClient, house_app: App, furniture: Furniture, page: str
) -> None:
    whole = await ada.get(f"{page}?file=1")
    text = "---\n# not yet\nsubject: Whole\nlanguage: en\n---\nHello\n"

    saved = await save(ada, furniture, page, version_in(whole), text=text.replace("\n", "\r\n"))

    assert "closing: The forum&#39;s people" in whole.text
    assert saved.headers["location"] == f"{page}?done=saved&file=1"
    assert (await load_draft(house_app, ADMIN, furniture.campaigns["draft"], "en")).text == text


@pytest.mark.parametrize(
    ("day", "hour", "starts"),
    [("2027-05-08", "19:00", "2027-05-08T19:00"), ("2027-05-08", "", "2027-05-08"), ("", "", "")],
)
async def test_day_and_hour_of_an_event_are_two_inputs(
    ada: httpx.AsyncClient, house_app: App, furniture: Furniture, page: str, day: str, hour: str, starts: str
) -> None:
    version = version_in(await ada.get(page))
    await save(ada, furniture, page, version, event_starts="", event_starts_day="2027-05-07", event_starts_hour="08:00")
    shown = await ada.get(page)

    inputs = {"event_starts": "2027-05-07T08:00", "event_starts_day": day, "event_starts_hour": hour}
    await save(ada, furniture, page, version_in(shown), **inputs)
    draft = await load_draft(house_app, ADMIN, furniture.campaigns["draft"], "en")

    assert 'type="date" value="2027-05-07"' in shown.text
    assert 'type="time" value="08:00"' in shown.text
    assert draft.fields
    assert draft.fields.event_starts == starts


async def test_a_text_whose_front_matter_is_broken_is_edited_whole(
    ada: httpx.AsyncClient, house_app: App, furniture: Furniture, page: str
) -> None:
    number = furniture.campaigns["draft"]
    draft = await load_draft(house_app, ADMIN, number, "en")
    await save_draft(house_app, ADMIN, number, "en", version=draft.version, text="---\nsubject: [\n---\nHello\n")

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
    assert "too many" in by_script.text


async def test_a_viewer_reads_and_a_translator_writes_one_language(
    house_app: App, furniture: Furniture, page: str
) -> None:
    turkish = page.replace("/en", "/tr")
    async with http_browser(house_app, furniture, VERA_VIEWER) as vera:
        seen = await vera.get(page)
        refused = await autosave(vera, furniture, page, "0", VERA_VIEWER, subject="No")
    async with http_browser(house_app, furniture, TUANA_TRANSLATOR) as tuana:
        version = version_in(await tuana.get(turkish))
        own = await autosave(tuana, furniture, turkish, version, TUANA_TRANSLATOR, subject="Elmalar")
        other = await autosave(tuana, furniture, page, "0", TUANA_TRANSLATOR, subject="No")

    assert "readonly" in seen.text
    assert 'name="then"' not in seen.text
    assert "bring **your own** seeds" in seen.text
    assert (refused.status_code, own.status_code, other.status_code) == (403, 200, 403)


async def test_a_script_without_the_token_of_its_session_saves_nothing(
    ada: httpx.AsyncClient, furniture: Furniture, page: str
) -> None:
    version = version_in(await ada.get(page))

    for wrong in ("", "0" * 32, token(furniture, EMMA_EDITOR)):
        form = {"subject": "No", "form_token": wrong}
        assert (await ada.post(page, data=form, headers={"If-Match": f'"{version}"'})).status_code == 403

    assert version_in(await ada.get(page)) == version


async def test_an_edition_is_added_translated_and_removed(
    ada: httpx.AsyncClient, furniture: Furniture, page: str
) -> None:
    campaign, form = page.removesuffix("/write/en"), {"form_token": token(furniture)}
    arabic = f"{campaign}/write/ar"

    missing = await ada.get(f"{campaign}/editions")
    added = await ada.post(f"{campaign}/editions", data=form | {"language": "ar"})
    again = await ada.post(f"{campaign}/editions", data=form | {"language": "ar"})
    no_language = await ada.post(f"{campaign}/editions", data=form | {"other_language": "not a tag"})
    shown = await ada.get(arabic)
    wrong = await ada.post(f"{arabic}/remove", data=form | {"typed": "7"})
    removed = await ada.post(f"{arabic}/remove", data=form | {"typed": "10"})

    assert "they get English" in missing.text
    assert added.headers["location"] == f"{arabic}?done=edition-added"
    assert "not written yet" in shown.text
    assert (again.status_code, no_language.status_code, wrong.status_code) == (422, 422, 422)
    assert "That is not its number." in wrong.text
    assert removed.headers["location"] == f"{campaign}/editions?done=edition-removed"
    assert (await ada.get(arabic)).status_code == 404
    for_good = await ada.post(f"{page}/remove", data=form | {"typed": "20"})
    assert for_good.status_code == 422, "the default edition stays"


async def test_an_edition_older_than_its_source_is_stale_until_somebody_says_otherwise(
    ada: httpx.AsyncClient, furniture: Furniture, page: str
) -> None:
    turkish = page.replace("/en", "/tr")
    await save(ada, furniture, turkish, version_in(await ada.get(turkish)), subject="Elmalar", body="Elmalar.\n")
    await save(ada, furniture, page, version_in(await ada.get(page)), subject="Pears", body="Pears now.\n")

    stale = await ada.get(turkish)
    await ada.post(f"{turkish}/up-to-date", data={"form_token": token(furniture)})
    fresh = await ada.get(turkish)

    assert "stale since English changed" in stale.text
    assert "stale since" not in fresh.text


@pytest.mark.parametrize("view", ["html", "phone", "text", "source"])
async def test_the_letter_is_shown_in_a_frame_that_no_script_runs_in(
    ada: httpx.AsyncClient, page: str, view: str
) -> None:
    letter = await ada.get(page.replace("/write/", "/preview/"), params={"view": view, "reader": "sample:plain"})

    policy = dict(one.strip().partition(" ")[::2] for one in letter.headers["content-security-policy"].split(";"))
    assert letter.status_code == 200
    assert "Rosa" in letter.text
    assert "allow-scripts" not in policy["sandbox"]
    assert "allow-same-origin" not in policy["sandbox"]
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'self'"
    assert "script-src" not in policy


async def test_a_letter_is_dark_or_light_as_one_asks_whatever_the_screen_is(ada: httpx.AsyncClient, page: str) -> None:
    preview = page.replace("/write/", "/preview/")

    dark, light = [await ada.get(preview, params={"dark": dark}) for dark in ("1", "")]

    assert "@media all {" in dark.text
    assert "color-scheme: dark;" in dark.text
    assert "@media not all {" in light.text
    assert "prefers-color-scheme" not in dark.text + light.text


async def test_a_letter_is_shown_with_what_is_typed_and_not_saved(
    ada: httpx.AsyncClient, house_app: App, furniture: Furniture, page: str
) -> None:
    before = await load_draft(house_app, ADMIN, furniture.campaigns["draft"], "en")
    form = {"form_token": token(furniture), "version": "0", "subject": "Typed", "body": "Hello **you**", "view": "text"}

    typed = await ada.post(page.replace("/write/", "/preview/"), data=form)
    whole = await ada.post(
        page.replace("/write/", "/preview/"), data=form | {"text": "---\nsubject: Whole\n---\nFrom a file\n"}
    )
    gaps = await ada.post(page.replace("/write/", "/preview/"), data=form | {"subject": "", "body": ""})

    assert "Hello" in typed.text
    assert "From a file" in whole.text
    assert gaps.status_code == 200, "a letter that is not finished can be looked at"
    assert await load_draft(house_app, ADMIN, furniture.campaigns["draft"], "en") == before


async def test_what_somebody_writes_as_html_is_text_in_the_letter(
    ada: httpx.AsyncClient, furniture: Furniture, page: str
) -> None:
    body = "<script>alert(1)</script> <img src=x onerror=alert(1)>"
    form = {"form_token": token(furniture), "subject": "<b>x", "body": body}

    for view in ("html", "text", "source"):
        shown = (await ada.post(page.replace("/write/", "/preview/"), data=form | {"view": view})).text
        assert "<script" not in shown
        assert "<img" not in shown


async def test_the_letter_of_a_reader_is_shown_to_who_may_see_people(
    house_app: App, ada: httpx.AsyncClient, furniture: Furniture, page: str
) -> None:
    preview = page.replace("/write/", "/preview/")

    real = await ada.get(preview, params={"view": "text", "reader": "appeals0@example.org"})
    unknown = await ada.get(preview, params={"view": "text", "reader": "nobody@example.org"})
    async with http_browser(house_app, furniture, VERA_VIEWER) as vera:
        hidden = await vera.get(preview, params={"view": "text", "reader": "appeals0@example.org"})
        invented = await vera.get(preview, params={"view": "text", "reader": "sample:plain"})

    assert "Dear Rosa" in real.text
    assert unknown.status_code == 404
    assert hidden.status_code == 403
    assert "appeals0" not in hidden.text
    assert invented.status_code == 200


async def test_what_cannot_be_shown_says_why_in_the_frame(
    ada: httpx.AsyncClient, furniture: Furniture, page: str
) -> None:
    version = version_in(await ada.get(page))
    await save(ada, furniture, page, version, subject="Broken", body="Hello {{ nam\n")

    letter = await ada.get(page.replace("/write/", "/preview/"))
    shown = await ada.get(page)

    assert letter.status_code == 422
    assert "No letter to show yet" in letter.text
    assert "{{" in letter.text
    assert "Nothing to mend" not in shown.text


async def test_all_keys_are_on_their_page_and_each_key_of_a_page_is_in_the_table(
    ada: httpx.AsyncClient, page: str
) -> None:
    table = (await ada.get("/console/keys")).text
    used = set(re.findall(r'data-key="([^"]+)"', (await ada.get(page)).text))

    assert {"g t", "g c", "g s", "g l", "g e", "Control+s", "Control+Enter", "?"} <= used
    for keys in used:
        last = keys.replace("+", " ").split(" ")[-1]
        assert f"<kbd>{last}</kbd>" in table


async def test_a_letters_template_is_chosen_by_name_and_the_usual_one_needs_none(
    ada: httpx.AsyncClient, house_app: App, furniture: Furniture, page: str
) -> None:
    first = await ada.get(page)
    await save(ada, furniture, page, version_in(first), template="roundup")
    chosen = await ada.get(page)
    draft = await load_draft(house_app, ADMIN, furniture.campaigns["draft"], "en")
    await save(ada, furniture, page, version_in(chosen), template="")
    usual = await load_draft(house_app, ADMIN, furniture.campaigns["draft"], "en")

    for name in ("Appeal", "Invitation", "Announcement", "Roundup", "Plain letter"):
        assert f">{name}</option>" in first.text
    assert re.search(r'<option value="" selected[^>]*>Appeal<', first.text)
    assert re.search(r'<option value="roundup" selected[^>]*>Roundup<', chosen.text)
    assert "template: roundup" in draft.text
    assert "template:" not in usual.text


async def test_organisers_own_templates_can_be_chosen(
    ada: httpx.AsyncClient, house_app: App, furniture: Furniture, page: str
) -> None:
    await add_template(house_app, ADMIN, "poster", OWN_HTML)
    first = await ada.get(page)

    saved = await save(ada, furniture, page, version_in(first), template="poster")

    assert saved.status_code == 303
    assert re.search(r'<option value="poster" selected[^>]*>poster<', (await ada.get(page)).text)
