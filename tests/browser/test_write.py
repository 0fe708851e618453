"""Writing in a real browser: nothing that is typed is lost, the letter follows, and it works without script, too."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, BrowserContext, FrameLocator, Page, expect

from mailer.actions.accounts.sessions import find_session, revoke_session
from mailer.actions.campaigns.drafts import load_draft
from mailer.actions.campaigns.versions import list_versions
from tests.support.app_helpers import ADMIN
from tests.support.browser import Window, open_window
from tests.support.console_helpers import ADA_OWNER, EMMA_EDITOR, House, Person, sign_in
from tests.support.media_samples import PDF, photo

SAVED_MS, KILLED_MS = 5000, 1000


def page_of(house: House) -> str:
    return f"/console/campaigns/{house.campaigns['draft']}/write/en"


@asynccontextmanager
async def writing(
    chromium: Browser, house: House, who: Person = ADA_OWNER, *, javascript: bool = True
) -> AsyncIterator[Window]:
    """A window on the English edition of the draft."""
    async with open_window(chromium, house.url, javascript=javascript) as window:
        await sign_in(window.context, house, who)
        assert await window.go(page_of(house)) == 200
        yield window


async def stored(house: House) -> str:
    """The English text as it is saved."""
    return (await load_draft(house.app, ADMIN, house.campaigns["draft"], "en")).text


async def saved(page: Page) -> None:
    """Wait until all that was typed is saved."""
    await expect(page.locator("#numbers")).to_contain_text("saved", timeout=SAVED_MS)


def letter(page: Page) -> FrameLocator:
    """What the frame beside the text shows."""
    return page.frame_locator("iframe[name^=letter]:visible")


async def go_offline(window: Window, *, offline: bool) -> None:
    await window.context.set_offline(offline)
    # The browser says of each request that there is no network; that is not the page's fault.
    window.problems[:] = [one for one in window.problems if "ERR_INTERNET_DISCONNECTED" not in one]


async def reopen(context: BrowserContext, house: House) -> Page:
    page = await context.new_page()
    await page.goto(page_of(house))
    return page


async def test_what_is_typed_is_saved_by_itself_and_shown_in_the_letter(own_house: House, chromium: Browser) -> None:
    async with writing(chromium, own_house) as window:
        await window.page.get_by_label("Text", exact=True).first.fill("Apples are **ripe**.\n\nTK\n")

        await expect(letter(window.page).locator("strong")).to_have_text("ripe")
        await saved(window.page)
        await expect(window.page.locator("#problems a")).to_have_text("Line 3")
        assert "Apples are **ripe**." in await stored(own_house)


async def test_a_tab_that_is_killed_a_second_after_the_last_key_loses_nothing(
    own_house: House, chromium: Browser
) -> None:
    async with writing(chromium, own_house) as window:
        await window.page.locator("#body").press_sequentially("Every letter of it. ", delay=5)
        await window.page.wait_for_timeout(KILLED_MS)
        await window.page.close(run_before_unload=False)

        page = await reopen(window.context, own_house)
        await expect(page.locator("#body")).to_have_value(re.compile("Every letter of it. "))
        await expect(page.locator("#body")).to_be_editable()
    assert "Every letter of it. " in await stored(own_house)


async def test_without_a_connection_it_is_kept_in_the_browser_even_if_the_tab_is_killed(
    own_house: House, chromium: Browser
) -> None:
    async with writing(chromium, own_house) as window:
        await go_offline(window, offline=True)
        await window.page.locator("#subject").fill("Written on a train")
        await expect(window.page.locator("#state")).to_contain_text("no connection", timeout=SAVED_MS)
        await window.page.close(run_before_unload=False)
        assert "Written on a train" not in await stored(own_house)

        await go_offline(window, offline=False)
        page = await reopen(window.context, own_house)
        await expect(page.locator("#subject")).to_have_value("Written on a train")
        await saved(page)
    assert "Written on a train" in await stored(own_house)


async def test_it_goes_on_by_itself_when_the_connection_is_back(own_house: House, chromium: Browser) -> None:
    async with writing(chromium, own_house) as window:
        await go_offline(window, offline=True)
        await window.page.locator("#subject").fill("A tunnel")
        await expect(window.page.locator("#state")).to_contain_text("no connection", timeout=SAVED_MS)
        await go_offline(window, offline=False)
        await saved(window.page)
    assert "A tunnel" in await stored(own_house)


@pytest.mark.parametrize("choice", ["theirs", "mine"])
async def test_of_two_who_write_at_once_the_second_sees_both_texts_and_who(
    own_house: House, chromium: Browser, choice: str
) -> None:
    async with writing(chromium, own_house) as ada, writing(chromium, own_house, EMMA_EDITOR) as emma:
        await emma.page.locator("#body").fill("Emma's text.\n")
        await saved(emma.page)
        await ada.page.locator("#body").fill("Ada's text.\n")

        conflict = ada.page.locator("#conflict")
        await expect(conflict).to_contain_text("emma@example.org saved another text", timeout=SAVED_MS)
        assert await conflict.locator("mark").all_inner_texts() == ["Emma's text.", "Ada's text."]
        await ada.page.locator("#body").press("Control+End")
        await ada.page.locator("#body").press_sequentially("And more.")
        if choice == "mine":
            await conflict.get_by_role("button").click()
            await expect(conflict).to_be_hidden()
            await saved(ada.page)
        else:
            await conflict.get_by_role("link").click()
            await expect(ada.page.locator("#body")).to_have_value("Emma's text.\n")

    texts = {"mine": "Ada's text.\nAnd more.", "theirs": "Emma's text.\n"}
    assert (await stored(own_house)).endswith(texts[choice])
    versions = await list_versions(own_house.app, ADMIN, own_house.campaigns["draft"], "en")
    assert {"ada@example.org", "emma@example.org"} <= {one.changed_by for one in versions}


async def test_who_is_signed_out_while_writing_loses_nothing(own_house: House, chromium: Browser) -> None:
    async with writing(chromium, own_house) as window:
        session = await find_session(own_house.app, own_house.words["Ada"])
        assert session
        await revoke_session(own_house.app, ADMIN, session.id)
        await window.page.locator("#subject").fill("Signed out meanwhile")
        await expect(window.page.locator("#state")).to_contain_text("you are signed out", timeout=SAVED_MS)

        await sign_in(window.context, own_house, EMMA_EDITOR)
        assert await window.go(page_of(own_house)) == 200
        assert await window.page.locator("#subject").input_value() == "Come to the harvest forum", "another's draft"
    assert "Signed out meanwhile" not in await stored(own_house)


async def test_tools_put_in_markdown_that_ctrl_z_takes_back(own_house: House, chromium: Browser) -> None:
    async with writing(chromium, own_house) as window:
        body, tools = window.page.locator("#body"), window.page.get_by_role("group", name="Format")
        await body.fill("apples")
        await body.press("Control+a")
        await tools.get_by_role("button", name="Bold").click()
        await expect(body).to_have_value("**apples**")
        await body.press("Control+z")
        await expect(body).to_have_value("apples")

        await body.press("Control+End")
        await tools.get_by_role("button", name="List", exact=True).click()
        await expect(body).to_have_value("- apples")
        await tools.get_by_text("Insert").click()
        await tools.get_by_role("button", name="Button", exact=True).click()
        await expect(window.page.get_by_label("Words on the button")).to_be_focused()


@pytest.mark.parametrize(
    ("tool", "classes"),
    [("Button in the text", "button"), ("Callout", "callout"), ("Two columns", "columns"), ("Signature", "signature")],
)
async def test_a_block_that_a_tool_puts_in_is_whole_and_seen_in_the_letter(
    own_house: House, chromium: Browser, tool: str, classes: str
) -> None:
    async with writing(chromium, own_house) as window:
        body, tools = window.page.locator("#body"), window.page.get_by_role("group", name="Format")
        await body.fill("Dear all,\nplease come")
        await body.press("Control+End")
        await body.press("Shift+Home")
        await tools.get_by_text("Insert").click()
        await tools.get_by_role("button", name=tool).click()
        if tool == "Button in the text":
            # The address is chosen, to be typed over.
            await window.page.keyboard.type("https://forum.example.org/come")

        await expect(letter(window.page).locator(f".words .{classes}")).to_contain_text("please come", timeout=SAVED_MS)
        await expect(window.page.locator("#problems li")).to_have_count(0)


async def test_a_check_leads_to_its_line(own_house: House, chromium: Browser) -> None:
    async with writing(chromium, own_house) as window:
        body = window.page.locator("#body")
        await body.fill("One\n\nTwo ???\n\nThree\n")
        await window.page.locator("#problems a").click()
        assert await body.evaluate("one => one.value.slice(one.selectionStart, one.selectionEnd)") == "Two ???"


async def test_views_and_readers_change_the_letter_and_leave_no_steps_behind(house: House, chromium: Browser) -> None:
    async with writing(chromium, house) as window:
        page = window.page
        before = await page.evaluate("history.length")
        await page.get_by_label("As", exact=True).select_option(label="ليلى (from right to left, Arabic)")
        await expect(letter(page).locator("body")).to_contain_text("ليلى")
        await page.get_by_role("radio", name="Source").check()
        await expect(letter(page).locator("pre")).to_contain_text("Subject:")
        await page.get_by_role("radio", name="Phone").check()
        await expect(page.locator("iframe.phone")).to_be_visible()
        await page.get_by_label("Dark").check()
        await expect(letter(page).locator("body")).to_have_css("background-color", "rgb(18, 24, 26)")
        assert await page.evaluate("history.length") == before


async def test_keys_go_to_places_through_rows_and_can_be_turned_off(house: House, chromium: Browser) -> None:
    async with open_window(chromium, house.url) as window:
        page = window.page
        await sign_in(window.context, house, ADA_OWNER)
        await window.go("/console")
        await page.keyboard.press("g")
        await page.keyboard.press("c")
        await page.wait_for_url("**/console/campaigns")
        await page.keyboard.press("/")
        await page.keyboard.type("gc?")
        assert await page.locator("#search").input_value() == "gc?", "no key acts while one types"
        await page.locator("h1").click()
        await page.keyboard.press("j")
        await page.keyboard.press("j")
        second = await page.locator("main tbody tr a").nth(1).evaluate("one => one === document.activeElement")
        assert second or await page.locator("tr.chosen").count() == 1
        await page.keyboard.press("?")
        await page.wait_for_url("**/console/keys")
        await page.get_by_label("Turn all keys off in this browser").check()
        await page.keyboard.press("Tab")
        await page.keyboard.press("g")
        await page.keyboard.press("t")
        await page.wait_for_timeout(300)
        assert page.url.endswith("/console/keys")


async def test_without_script_one_saves_looks_and_goes_on_to_the_review(own_house: House, chromium: Browser) -> None:
    async with writing(chromium, own_house, javascript=False) as window:
        page = window.page
        await page.locator("#body").fill("Written **without** script.\n")
        await page.get_by_role("button", name="Preview").click()
        await expect(letter(page).locator("strong")).to_have_text("without")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator(".flash")).to_have_text("Saved.")
        await page.locator("#subject").fill("And reviewed")
        await page.get_by_role("button", name="Review", exact=True).click()
        await page.wait_for_url("**/review")
    assert "And reviewed" in await stored(own_house)
    assert "Written **without** script." in await stored(own_house)


async def test_a_picture_goes_where_one_writes_and_is_described_at_once(own_house: House, chromium: Browser) -> None:
    async with writing(chromium, own_house) as window:
        page = window.page
        page.on("dialog", lambda dialog: dialog.accept("Red [ripe] apples"))
        body = page.locator("#body")
        await body.fill("Look at them: \n\nCome.")
        await body.evaluate("field => field.setSelectionRange(14, 14)")
        await page.get_by_text("Pictures and attachments").first.click()
        await page.locator("#media").set_input_files(
            {"name": "apples.jpg", "mimeType": "image/jpeg", "buffer": photo()}
        )

        await page.get_by_role("button", name="Add", exact=True).click()

        await expect(body).to_have_value(re.compile(r"^Look at them: !\[Red  ripe  apples\]\(/media/\S+\)\n\nCome\.$"))
        await expect(letter(page).locator("img[alt='Red  ripe  apples']")).to_have_count(1)
        shown = letter(page).locator("img[alt='Red  ripe  apples']")
        await expect(shown).to_have_js_property("complete", True)
        assert await shown.evaluate("picture => picture.naturalWidth") == 640


async def test_a_picture_on_the_line_below_the_text_is_a_paragraph_of_its_own(
    own_house: House, chromium: Browser
) -> None:
    async with writing(chromium, own_house) as window:
        page = window.page
        page.on("dialog", lambda dialog: dialog.accept("Apples"))
        await page.locator("#body").fill("Come.\n")

        await drop(page, "apples.jpg", "image/jpeg", photo())

        await expect(page.locator("#body")).to_have_value(re.compile(r"^Come\.\n\n!\[Apples\]\(/media/\S+\)$"))


async def test_a_dropped_picture_is_taken_and_a_dropped_programme_is_attached(
    own_house: House, chromium: Browser
) -> None:
    async with writing(chromium, own_house) as window:
        page = window.page
        page.on("dialog", lambda dialog: dialog.accept("Apples"))
        await page.locator("#body").fill("Come.")

        await drop(page, "apples.jpg", "image/jpeg", photo())
        await expect(page.locator("#body")).to_have_value(re.compile(r"!\[Apples\]\(/media/\S+\)"))
        await drop(page, "programme.pdf", "application/pdf", PDF)
        await page.wait_for_url("**done=media-added*")

        await expect(page.get_by_role("button", name="Take it out")).to_be_visible()
        text = await stored(own_house)
        assert "attachments: [/media/" in text
        assert "![Apples](/media/" in text


async def drop(page: Page, name: str, kind: str, content: bytes) -> None:
    """Let go of a file over the text."""
    transfer = await page.evaluate_handle(
        """([name, type, octets]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(octets)], name, {type}));
          return transfer;
        }""",
        [name, kind, list(content)],
    )
    await page.locator("#body").dispatch_event("drop", {"dataTransfer": transfer})


async def test_a_file_that_letters_cannot_have_is_refused_in_words(own_house: House, chromium: Browser) -> None:
    async with writing(chromium, own_house) as window:
        await drop(window.page, "apples.png", "image/png", b"no picture")

        await expect(window.page.locator("#state")).to_contain_text("apples.png is no picture")
        window.problems[:] = [one for one in window.problems if "422" not in one]


async def test_files_are_added_without_script_too(own_house: House, chromium: Browser) -> None:
    async with writing(chromium, own_house, javascript=False) as window:
        page = window.page
        await page.locator("#body").fill("Come.")
        await page.get_by_text("Pictures and attachments").first.click()
        await page.locator("#media").set_input_files(
            {"name": "apples.jpg", "mimeType": "image/jpeg", "buffer": photo()}
        )
        await page.locator("#media_alt").fill("Red apples")
        await page.get_by_role("button", name="Add", exact=True).click()

        await expect(page.get_by_text("a picture stands at the end of the text")).to_be_visible()
        assert re.search(r"Come\.\n\n!\[Red apples\]\(/media/\S+\)\n$", await stored(own_house))
