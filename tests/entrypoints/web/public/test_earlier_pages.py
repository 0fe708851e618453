"""Letters from before a list moved here: imported once, shown to whom the archive is open, found by old addresses."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from mailer.actions.archive.import_letters import drop_earlier_letters, import_letters
from mailer.actions.lists.edit_list import set_list
from mailer.app import App
from mailer.domain.imports.legacy_list import LINK_PREFIXES, LegacyList, LegacySoftware
from mailer.domain.letters.earlier_letter import EarlierLetter
from mailer.domain.token import Purpose, sign_token
from mailer.importers.source_files import SourceFile
from tests.support.app_helpers import ADMIN, EMMA, import_rows, open_list
from tests.support.running_service import RunningService, running_service

MONTHS = ("Jan", "Feb", "Mar")
HTML = "<b>bold</b>"


def mbox(number: int = 60) -> SourceFile:
    """Letters of as many days, one with markup in it."""
    mails = [
        f"From ada@example.org Mon Nov  2 09:00:00 2026\nFrom: Ada Okafor <ada@example.org>\n"
        f"Subject: Seeds {one} {HTML}\n"
        f"Date: {one % 28 + 1} {MONTHS[one // 28]} 2026 09:00:00 +0000\nMessage-ID: <{one}@example.org>\n\n"
        f"Bring {one} seeds {HTML} to https://harvest.example/{one} or ask rosa@example.org.\n"
        for one in range(number)
    ]
    octets = "\n".join(mails).encode()
    return SourceFile(name="talk.mbox", size=len(octets), open=lambda: io.BytesIO(octets))


@pytest.fixture
async def service(app: App) -> AsyncIterator[RunningService]:
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,en")
    await set_list(app, ADMIN, "appeals", archive="public")
    moved = tuple(
        LegacyList(list_name="appeals", software=software, name=name, paths=LINK_PREFIXES[software])
        for software, name in (
            (LegacySoftware.MAILMAN21, "talk"),
            (LegacySoftware.MAILMAN3, "talk.lists.example.org"),
        )
    )
    async with running_service(replace(app, legacy_lists=moved)) as running:
        yield running


async def test_letters_are_imported_once_shown_by_page_and_dropped(service: RunningService) -> None:
    app = service.app
    dry = await import_letters(app, ADMIN, list_name="appeals", files=[mbox()], dry_run=True)
    before = await service.browser.get("/archive/appeals/earlier")
    done = [await import_letters(app, ADMIN, list_name="appeals", files=[mbox()]) for _ in range(2)]
    index = await service.browser.get("/archive/appeals")
    pages = [await service.browser.get("/archive/appeals/earlier")]
    pages.append(await service.browser.get("/archive/appeals/earlier?before=11"))
    letter = await service.browser.get("/archive/appeals/earlier/60-seeds-59-b-bold-b")
    renamed = await service.browser.get("/archive/appeals/earlier/60-x")
    strange = [await service.browser.get(f"/archive/appeals/earlier{one}") for one in ("/61-x", "/x", "?before=99")]
    dropped = await drop_earlier_letters(app, ADMIN, "appeals")

    assert (dry.letters, dry.added) == (60, 0)
    assert before.status_code == 404
    assert [one.added for one in done] == [60, 0]
    assert '<a href="/archive/appeals/earlier">Former archive</a>' in index.text
    assert [page.text.count("<h3>") for page in pages] == [50, 10]
    assert "?before=11" in pages[0].text
    assert "?before" not in pages[1].text
    assert "Bring 59 seeds &lt;b&gt;bold&lt;/b&gt; to <a" in letter.text
    assert 'href="https://harvest.example/59"' in letter.text
    assert "Ada Okafor" in letter.text
    assert "rosa@" not in letter.text
    assert 'rel="prev"' in letter.text
    assert 'rel="next"' not in letter.text
    assert (renamed.status_code, renamed.headers["location"]) == (301, "/archive/appeals/earlier/60-seeds-59-b-bold-b")
    assert [one.status_code for one in strange] == [404, 404, 404]
    assert dropped == 60
    assert (await service.browser.get("/archive/appeals/earlier")).status_code == 404


async def test_they_are_as_open_as_the_archive(service: RunningService) -> None:
    await import_letters(service.app, ADMIN, list_name="appeals", files=[mbox(3)])
    await set_list(service.app, ADMIN, "appeals", archive="subscribers")
    token = sign_token(service.app.site.keyring, Purpose.VIEW, 1)

    public = await service.browser.get("/archive/appeals/earlier")
    personal = await service.browser.get(f"/view/{token}/earlier")
    letter = await service.browser.get(f"/view/{token}/earlier/1-seeds-0-b-bold-b")

    assert public.status_code == 404
    assert (personal.status_code, letter.status_code) == (200, 200)
    assert letter.headers["x-robots-tag"] == "noindex"
    assert f'href="/view/{token}/earlier"' in letter.text


async def test_old_addresses_of_letters_lead_to_them(service: RunningService) -> None:
    await import_letters(service.app, ADMIN, list_name="appeals", files=[mbox(3)])
    known = EarlierLetter(message_id="1@example.org", sent_at=service.app.clock(), subject="", author=None, text="")

    answers = [
        await service.browser.get(path)
        for path in (
            "/pipermail/talk/2026-January/000001.html",
            f"/hyperkitty/list/talk@lists.example.org/message/{known.message_id_hash}/",
            f"/archives/list/talk@lists.example.org/message/{known.message_id_hash.lower()}",
            "/pipermail/talk/2026-January/000009.html",
        )
    ]

    assert [(one.status_code, one.headers.get("location")) for one in answers] == [
        *[(301, "/archive/appeals/earlier/2-seeds-1-b-bold-b")] * 3,
        (404, None),
    ]
