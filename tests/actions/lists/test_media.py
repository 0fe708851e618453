"""Files for letters are kept once, for whoever may write, with a line in the audit log."""

from __future__ import annotations

import pytest

from mailer.actions.accounts.show_audit_log import audit_page
from mailer.actions.lists.media import add_media, all_media, load_media
from mailer.app import App
from mailer.domain.accounts.audit import Act
from mailer.domain.letters.media import PATH
from mailer.errors import MediaRefused, NotFound
from tests.support.app_helpers import ADMIN, Clock, open_list
from tests.support.media_samples import PDF, photo


async def test_a_picture_is_kept_once_and_its_path_leads_to_it(app: App, clock: Clock) -> None:
    await open_list(app)

    first = await add_media(app, ADMIN, list_name="appeals", name="Apples.jpg", octets=photo())
    clock.advance(hours=1)
    again = await add_media(app, ADMIN, list_name="appeals", name="Äpfel.jpg", octets=photo())
    kept = await all_media(app, ADMIN)

    assert again.path == first.path
    assert first.path.endswith("/apples-640x400.jpg")
    assert [(one.file.path, one.added_at < app.clock(), one.added_by) for one in kept] == [
        (first.path, True, "unix user ada")
    ]
    match = PATH.fullmatch(first.path)
    assert match
    loaded = await load_media(app, match[1], match[2])
    assert (loaded.size, loaded.media_type) == (len(loaded.content), "image/jpeg")


async def test_all_files_are_listed_the_newest_first(app: App, clock: Clock) -> None:
    await open_list(app)
    for number in range(3):
        await add_media(app, ADMIN, list_name="appeals", name=f"programme{number}.pdf", octets=PDF)
        clock.advance(hours=1)

    assert [one.file.shown_name for one in await all_media(app, ADMIN)] == [
        "programme2.pdf",
        "programme1.pdf",
        "programme0.pdf",
    ]


async def test_what_is_refused_leaves_nothing(app: App) -> None:
    await open_list(app)

    with pytest.raises(MediaRefused, match=r"apples\.jpg"):
        await add_media(app, ADMIN, list_name="appeals", name="apples.jpg", octets=photo()[:500])
    with pytest.raises(NotFound):
        await add_media(app, ADMIN, list_name="walks", name="apples.jpg", octets=photo())

    assert await all_media(app, ADMIN) == []


async def test_another_name_than_the_one_of_a_path_leads_nowhere(app: App) -> None:
    await open_list(app)
    file = await add_media(app, ADMIN, list_name="appeals", name="programme.pdf", octets=PDF)

    with pytest.raises(NotFound):
        await load_media(app, file.digest[:32], "other.pdf")
    with pytest.raises(NotFound):
        await load_media(app, "0" * 32, "programme.pdf")


async def test_the_audit_log_says_what_was_added(app: App) -> None:
    await open_list(app)
    file = await add_media(app, ADMIN, list_name="appeals", name="programme.pdf", octets=PDF)

    line = (await audit_page(app, ADMIN)).items[0]

    assert (line.act, f"/{line.subject}", line.mailing_list_id) == (Act.ADD_MEDIA, file.path, 1)
    assert line.after == {"octets": len(PDF), "media_type": "application/pdf"}
