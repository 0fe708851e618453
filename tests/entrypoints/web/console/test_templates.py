"""Organisers' templates through the HTTP door."""

from __future__ import annotations

import httpx
import pytest

from mailer.actions.templates.add_template import add_template
from mailer.actions.templates.show_templates import list_templates, show_template
from mailer.app import App
from tests.support.app_helpers import ADMIN
from tests.support.console_client import ConsoleClient
from tests.support.own_templates import LINE_IN_HTML, OWN_HTML, OWN_MJML, with_line

TEMPLATES = "/console/settings/templates"


async def hand_in(browser: ConsoleClient, path: str, file: bytes, **fields: str) -> httpx.Response:
    """Post the form with a file, as browsers do."""
    return await browser.post(
        path, data=fields | {"form_token": browser.token}, files={"file": ("own.html", file, "text/html")}
    )


@pytest.mark.slow
async def test_a_new_template_is_kept_and_changed_and_its_versions_stay(app: App, ada: ConsoleClient) -> None:
    page = (await ada.get(f"{TEMPLATES}/_new")).text
    assert "{{ leave_url }}" in page  # one to begin with
    assert "<mj-body" not in page
    assert "&lt;mj-body" in (await ada.get(f"{TEMPLATES}/_new?mjml")).text

    answer = await ada.send_form(f"{TEMPLATES}/_new", name="orchard", source=OWN_HTML.replace("\n", "\r\n"))
    assert answer.headers["location"] == f"{TEMPLATES}/orchard?done=template-kept"
    assert (await list_templates(app, ADMIN))[0].source == OWN_HTML

    answer = await ada.send_form(f"{TEMPLATES}/orchard", source=OWN_MJML)
    assert answer.status_code == 303
    page = (await ada.get(f"{TEMPLATES}/orchard")).text
    assert "&lt;mj-body" in page
    assert "letters have it" in page
    versions = [one.id for one in (await show_template(app, ADMIN, "orchard")).versions]
    assert len(versions) == 2
    old = (await ada.get(f"{TEMPLATES}/orchard?version={versions[1]}")).text
    assert "&lt;mj-body" not in old
    assert "shown above" in old
    assert "orchard" in (await ada.get(TEMPLATES)).text


async def test_a_file_takes_the_place_of_the_typed_text(app: App, ada: ConsoleClient) -> None:
    answer = await hand_in(ada, f"{TEMPLATES}/_new", OWN_HTML.encode(), name="orchard", source="nothing")

    assert answer.status_code == 303
    assert (await list_templates(app, ADMIN))[0].source == OWN_HTML
    wrong = await hand_in(ada, f"{TEMPLATES}/orchard", b"\xff\xfe", source=OWN_HTML)
    assert wrong.status_code == 422
    assert "the file is not a text in UTF-8" in wrong.text


async def test_a_refused_template_is_shown_again_with_all_its_mistakes(app: App, ada: ConsoleClient) -> None:
    source = with_line("<script></script>\n{{ leed }}")

    answer = await ada.send_form(f"{TEMPLATES}/_new", name="orchard", source=source)

    assert answer.status_code == 422
    assert f"Line {LINE_IN_HTML}: &lt;script&gt; cannot stand" in answer.text
    assert f"Line {LINE_IN_HTML + 1}: there is no value called leed" in answer.text
    assert "{{ leed }}" in answer.text
    assert 'value="orchard"' in answer.text
    assert await list_templates(app, ADMIN) == []

    taken = await ada.send_form(f"{TEMPLATES}/_new", name="appeal", source=OWN_HTML)
    assert taken.status_code == 422
    assert "is a template of the house" in taken.text


async def test_a_sample_letter_is_shown_in_a_frame_that_may_do_nothing(app: App, ada: ConsoleClient) -> None:
    await add_template(app, ADMIN, "orchard", OWN_HTML)

    kept = await ada.get(f"{TEMPLATES}/orchard/sample?language=ar")
    tried = await ada.send_form(f"{TEMPLATES}/_try", source=OWN_MJML, language="tr", dark="1")
    refused = await ada.send_form(f"{TEMPLATES}/_try", source=with_line("{{ leed }}"), language="tr")

    assert '<html lang="ar" dir="rtl"' in kept.text
    assert '<html lang="tr" dir="ltr"' in tried.text
    assert refused.status_code == 422
    assert f"line {LINE_IN_HTML}: there is no value called leed" in refused.text
    for answer in (kept, tried, refused):
        assert "sandbox" in answer.headers["content-security-policy"]
        assert "script" not in answer.headers["content-security-policy"]
    assert len(await list_templates(app, ADMIN)) == 1


@pytest.mark.slow
async def test_a_template_is_removed_and_brought_back(app: App, ada: ConsoleClient) -> None:
    await add_template(app, ADMIN, "orchard", OWN_HTML)

    answer = await ada.send_form(f"{TEMPLATES}/orchard/remove")
    assert answer.headers["location"] == f"{TEMPLATES}?done=template-removed"
    assert "It was removed" in (await ada.get(f"{TEMPLATES}/orchard")).text

    await ada.send_form(f"{TEMPLATES}/orchard", source=OWN_HTML)
    assert [one.name for one in await list_templates(app, ADMIN)] == ["orchard"]


async def test_templates_are_for_owners_of_the_site(app: App, emma: ConsoleClient) -> None:
    await add_template(app, ADMIN, "orchard", OWN_HTML)

    assert (await emma.get(TEMPLATES)).status_code == 403
    assert (await emma.get(f"{TEMPLATES}/orchard/sample")).status_code == 403
    assert (await emma.send_form(f"{TEMPLATES}/_try", source=OWN_HTML)).status_code == 403
    assert (await emma.send_form(f"{TEMPLATES}/orchard", source=OWN_MJML)).status_code == 403
    page = (await emma.get("/console/settings")).text
    assert TEMPLATES not in page


@pytest.mark.slow
async def test_whoever_writes_a_letter_can_choose_it(app: App, ada: ConsoleClient) -> None:
    await add_template(app, ADMIN, "orchard", OWN_HTML)
    begun = await ada.send_form("/console/campaigns/new", list="appeals")

    page = await ada.get(begun.headers["location"], follow_redirects=True)

    assert '<option value="orchard">orchard</option>' in page.text
