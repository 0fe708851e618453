"""The look of a list's letters through the HTTP door."""

from __future__ import annotations

from mailer.actions.lists.show_list import show_list
from mailer.app import App
from mailer.domain.letters.media import picture_size
from tests.support.app_helpers import ADMIN
from tests.support.console_client import ConsoleClient
from tests.support.media_samples import PDF, photo

PATH = "/console/lists/appeals/design"


async def test_a_logo_is_uploaded_shown_and_taken_away(app: App, emma: ConsoleClient) -> None:
    logo = {"logo": ("Logo.png", photo(300, 200, "PNG"), "image/png")}

    answer = await emma.send_files(PATH, logo, accent_color="#aa2255")
    changed = (await show_list(app, ADMIN, "appeals")).mailing_list
    page = (await emma.get(PATH)).text
    await emma.send_form(PATH, accent_color="#aa2255", no_logo="1")
    bare = (await show_list(app, ADMIN, "appeals")).mailing_list

    assert answer.headers["location"] == "/console/lists/appeals?done=saved"
    assert (changed.accent_color, picture_size(changed.logo or "")) == ("#aa2255", (300, 200))
    assert f'<img src="{changed.logo}"' in page
    assert 'value="#aa2255"' in page
    assert (bare.accent_color, bare.logo) == ("#aa2255", None)


async def test_the_templates_own_colour_is_not_written_down(app: App, emma: ConsoleClient) -> None:
    await emma.send_form(PATH, accent_color="#1b6b59")

    assert (await show_list(app, ADMIN, "appeals")).mailing_list.accent_color is None


async def test_what_is_no_picture_is_refused_beside_its_field(app: App, emma: ConsoleClient) -> None:
    answer = await emma.send_files(PATH, {"logo": ("a.pdf", PDF, "application/pdf")}, accent_color="#aa2255")
    broken = await emma.send_files(PATH, {"logo": ("a.png", photo()[:300], "image/png")}, accent_color="#aa2255")
    color = await emma.send_form(PATH, accent_color="green")

    assert [one.status_code for one in (answer, broken, color)] == [422, 422, 422]
    assert "a.png" in broken.text
    assert 'href="#logo"' in broken.text
    assert "a.pdf is no picture" in answer.text
    assert (await show_list(app, ADMIN, "appeals")).mailing_list.accent_color is None


async def test_a_file_that_is_too_large_is_refused_while_it_is_read(emma: ConsoleClient) -> None:
    answer = await emma.send_files(PATH, {"logo": ("a.png", b"x" * 12_000_000, "image/png")}, accent_color="#aa2255")

    assert answer.status_code == 413


async def test_a_form_of_another_session_is_refused(emma: ConsoleClient) -> None:
    headers = {"Sec-Fetch-Site": "same-origin"}

    answer = await emma.post(PATH, data={"form_token": "x"}, files={"logo": ("a.png", b"x")}, headers=headers)

    assert answer.status_code == 403
