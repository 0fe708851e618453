"""Static files over HTTP: content-hashed names, a cache for a year, and 404 for every other name."""

from __future__ import annotations

import re

import httpx

from mailer.app import App
from mailer.demo.inbox import Inbox
from mailer.demo.inbox_pages import inbox_app
from mailer.entrypoints.web.static_files import static_url
from tests.support.app_helpers import ROOT
from tests.support.running_service import running_service

STYLESHEET = re.compile(r'<link rel="stylesheet" href="([^"]+)">')


async def test_the_stylesheet_of_a_page_is_served_for_a_year(app: App) -> None:
    async with running_service(app) as service:
        page = await service.browser.get("/")
        (path,) = STYLESHEET.findall(page.text)
        answer = await service.browser.get(path)

    assert path == app.site.path + static_url("pages.css")
    assert re.fullmatch(r"/static/pages\.[0-9a-f]{16}\.css", static_url("pages.css"))
    assert answer.text == (ROOT / "mailer/static/pages.css").read_text()
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "style-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]


async def test_every_other_name_is_not_found(app: App) -> None:
    names = ("pages.css", "pages.0000000000000000.css", "", "..%2fapp.py", "%2e%2e/app.py")

    async with running_service(app) as service:
        answers = [await service.browser.get(f"/static/{name}") for name in names]

    assert [answer.status_code for answer in answers] == [404] * len(names)


async def test_the_inbox_of_the_demo_has_its_stylesheet_too(app: App) -> None:
    pages = inbox_app(Inbox(app.clock), app.templates)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(pages), base_url="http://inbox") as browser:
        page = await browser.get("/")
        (path,) = STYLESHEET.findall(page.text)
        answer = await browser.get(path)

    assert path == static_url("demo.css")
    assert answer.text == (ROOT / "mailer/static/demo.css").read_text()
    assert "style-src 'self'" in page.headers["content-security-policy"]
