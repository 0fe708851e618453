"""Pictures and attachments over HTTP: for ever in caches, harmless wherever they are opened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from mailer.actions.lists.media import add_media
from mailer.app import App
from mailer.domain.letters.media import MediaFile
from tests.support.app_helpers import ADMIN, open_list
from tests.support.media_samples import PDF, photo
from tests.support.running_service import RunningService, running_service


@pytest.fixture
async def service(app: App) -> AsyncIterator[RunningService]:
    await open_list(app)
    async with running_service(app) as running:
        yield running


async def _add(service: RunningService, name: str, octets: bytes) -> MediaFile:
    return await add_media(service.app, ADMIN, list_name="appeals", name=name, octets=octets)


async def test_a_picture_is_shown_and_kept_for_ever(service: RunningService) -> None:
    file = await _add(service, "apples.jpg", photo())

    answer = await service.browser.get(file.path)
    head = await service.browser.head(file.path)

    assert (answer.status_code, head.status_code) == (200, 200)
    assert Image.open(BytesIO(answer.content)).size == (640, 400)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["etag"] == f'"{file.digest}"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["content-disposition"] == f'inline; filename="{file.name}"'
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "set-cookie" not in answer.headers
    assert (head.content, head.headers["content-length"]) == (b"", str(file.size))


async def test_who_has_it_is_told_so(service: RunningService) -> None:
    file = await _add(service, "apples.jpg", photo())

    tags = (f'"{file.digest}"', f'"x", W/"{file.digest}"', "*", '"x"')
    answers = [await service.browser.get(file.path, headers={"If-None-Match": tag}) for tag in tags]

    assert [one.status_code for one in answers] == [304, 304, 304, 200]
    assert answers[0].content == b""


async def test_an_attachment_is_saved_under_its_own_name(service: RunningService) -> None:
    file = await _add(service, "Şenlik programı.pdf", PDF)

    answer = await service.browser.get(file.path)

    assert answer.content == PDF
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"senlik-programi.pdf\"; filename*=utf-8''%C5%9Eenlik%20program%C4%B1.pdf"
    )


async def test_a_text_says_its_charset(service: RunningService) -> None:
    file = await _add(service, "notes.txt", "çanta".encode())

    answer = await service.browser.get(file.path)

    assert (answer.headers["content-type"], answer.text) == ("text/plain; charset=utf-8", "çanta")


async def test_what_there_is_not_is_not_found(service: RunningService) -> None:
    for path in (
        f"/media/{'0' * 32}/apples-640x400.jpg",
        f"/media/{'0' * 31}/apples-640x400.jpg",
        f"/media/{'g' * 32}/a.jpg",
        f"/media/{'0' * 32}/..%2f..%2fetc%2fpasswd",
        f"/media/{'0' * 32}/%00.jpg",
        f"/media/{'0' * 32}",
    ):
        answer = await service.browser.get(path)
        assert answer.status_code == 404, path
        assert "no-store" in answer.headers["cache-control"], path


async def test_another_name_is_not_found(service: RunningService) -> None:
    file = await _add(service, "programme.pdf", PDF)

    assert (await service.browser.get(file.path.replace("programme", "page"))).status_code == 404


async def test_it_works_below_a_path_of_another_site(app: App) -> None:
    await open_list(app)
    below = replace(app, site=replace(app.site, url=f"{app.site.url}/letters"))
    file = await add_media(below, ADMIN, list_name="appeals", name="programme.pdf", octets=PDF)

    async with running_service(below) as running:
        answers = [await running.browser.get(f"{prefix}{file.path}") for prefix in ("/letters", "")]

    assert [one.status_code for one in answers] == [200, 200]
