"""The colour and the logo of a list's letters."""

from __future__ import annotations

import pytest

from mailer.actions.accounts.show_audit_log import audit_page
from mailer.actions.lists.set_design import LogoFile, set_design
from mailer.actions.lists.show_list import show_list
from mailer.app import App
from mailer.domain.letters.media import picture_size
from mailer.errors import ListDesignRefused, MediaRefused, NotFound
from tests.support.app_helpers import ADMIN, open_list
from tests.support.media_samples import PDF, photo


async def test_a_list_gets_a_colour_and_a_logo_and_loses_them_again(app: App) -> None:
    await open_list(app)
    logo = LogoFile("Logo.png", photo(300, 200, "PNG"))

    changed = await set_design(app, ADMIN, "appeals", accent_color="#AA2255", logo=logo)
    same = await set_design(app, ADMIN, "appeals", accent_color="#a25", logo=None)
    shown = (await show_list(app, ADMIN, "appeals")).mailing_list
    gone = await set_design(app, ADMIN, "appeals", accent_color="", logo=LogoFile("", b""))

    assert changed.accent_color == "#aa2255"
    assert picture_size(changed.logo or "") == (300, 200)
    assert (same, shown) == (changed, changed)
    assert (gone.accent_color, gone.logo) == (None, None)


async def test_the_audit_log_says_what_it_was_before(app: App) -> None:
    await open_list(app)
    await set_design(app, ADMIN, "appeals", accent_color="#aa2255")
    await set_design(app, ADMIN, "appeals", accent_color="#aa2255")
    await set_design(app, ADMIN, "appeals", accent_color="#225588")

    lines = [(one.before, one.after) for one in (await audit_page(app, ADMIN)).items if one.act == "change list"]

    assert lines == [
        ({"accent_color": "#aa2255"}, {"accent_color": "#225588"}),
        ({"accent_color": None}, {"accent_color": "#aa2255"}),
    ]


async def test_what_cannot_be_is_refused_and_changes_nothing(app: App) -> None:
    before = await open_list(app)

    with pytest.raises(ListDesignRefused, match="green"):
        await set_design(app, ADMIN, "appeals", accent_color="green")
    with pytest.raises(ListDesignRefused, match="is no picture"):
        await set_design(app, ADMIN, "appeals", accent_color="#123456", logo=LogoFile("a.pdf", PDF))
    with pytest.raises(MediaRefused):
        await set_design(app, ADMIN, "appeals", logo=LogoFile("a.png", b"GIF89a"))
    with pytest.raises(NotFound):
        await set_design(app, ADMIN, "walks", accent_color="#123456")

    assert (await show_list(app, ADMIN, "appeals")).mailing_list == before
