"""The pages below a path of another site, whether the proxy removes the path or passes it on."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from mailer.app import App
from mailer.errors import SettingsRefused
from mailer.settings.load import check_settings
from tests.support.app_helpers import EMMA, ROOT, ROSA, Clock, import_rows, make_app, open_list, parse_letter, text_of
from tests.support.fake_relay import FakeRelay
from tests.support.prefix_proxy import PrefixProxy
from tests.support.provider_calls import ProviderKeys
from tests.support.running_service import running_service

BEA = "bea@example.org"


class Page(HTMLParser):
    """A page as a browser has it: where its forms and links lead, and what its forms post."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.url, self.status = str(answer.url), answer.status_code
        self.links: list[str] = []
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.feed(answer.text)
        assert "location" not in answer.headers
        assert "elsewhere.example" not in answer.text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attrs}
        if tag != "link" and "href" in held and not held["href"].startswith("mailto:"):
            self.links.append(urljoin(self.url, held["href"]))
        if tag == "form":
            assert held["method"] == "post"
            self.forms.append((urljoin(self.url, held["action"]), {}))
        elif "name" in held and self.forms and tag in {"input", "button"}:
            self.forms[-1][1][held["name"]] = held.get("value", "")


@dataclass(frozen=True, slots=True)
class Site:
    """The service as it is seen from outside."""

    app: App
    url: str
    web: httpx.AsyncClient

    async def get(self, url: str) -> Page:
        return self._ours(Page(await self.web.get(url)))

    async def press(self, page: Page, number: int = 0, **typed: str) -> Page:
        """Press the button of a form."""
        action, fields = page.forms[number]
        return self._ours(Page(await self.web.post(action, data=fields | typed)))

    def _ours(self, page: Page) -> Page:
        for url in (*page.links, *(action for action, _ in page.forms)):
            assert url.startswith(f"{self.url}/"), url
        return page

    def link(self, text: str, way: str) -> str:
        """The personal link in a text; there is no other address of ours than the site's."""
        found = re.search(rf"{re.escape(self.url)}/{way}/[a-z2-7]{{29}}", text)
        assert found, text
        return found[0]


@pytest.fixture(
    params=[
        ("/lists", "strips"),
        pytest.param(("/lists", "keeps"), marks=pytest.mark.slow),
        pytest.param(("/our_lists/_b*c_/b%C3%BCrger~x", "strips"), marks=pytest.mark.slow),
        ("/our_lists/_b*c_/b%C3%BCrger~x", "keeps"),
        pytest.param(("/join", "strips"), marks=pytest.mark.slow),
        ("/join", "keeps"),
        pytest.param(("/leave", "strips"), marks=pytest.mark.slow),
        ("", "keeps"),
    ],
    ids=" ".join,
)
async def site(
    request: pytest.FixtureRequest, sqlite_template: Path, tmp_path: Path, clock: Clock, relay: FakeRelay
) -> AsyncIterator[Site]:
    """The running service behind a proxy; Emma is on Ada's list."""
    prefix, proxy_does = request.param
    made = make_app(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'mailer.db')}", clock, relay.port)
    async with PrefixProxy(prefix, keeps_prefix=proxy_does == "keeps") as proxy:
        given = f"http://127.0.0.1:{proxy.port}{prefix}/"
        url = check_settings({"service": {"url": given}}, tmp_path / "settings.toml").service.url
        app = replace(made, site=replace(made.site, url=url), providers=ProviderKeys().providers)
        await open_list(app)
        await import_rows(app, f"{EMMA},Emma,en")
        async with running_service(app) as running, httpx.AsyncClient() as web:
            proxy.backend_port = running.ports.web_port
            yield Site(app, url, web)


async def test_joining_confirming_leaving_and_rejoining_work_in_a_browser(site: Site, relay: FakeRelay) -> None:
    home = await site.get(f"{site.url}/")
    form = await site.get(home.links[0])
    refused = await site.press(form, email="rosa at home")
    joined = await site.press(refused, email=ROSA)
    again = await site.press(joined)
    confirmation = (await relay.wait_for(2))[0]
    confirm = await site.get(site.link(text_of(confirmation), "confirm"))
    confirmed = await site.press(confirm)
    welcome = (await relay.wait_for(3))[2]

    assert [page.status for page in (home, form, refused, joined, again, confirm, confirmed)] == [
        *(200, 200, 422, 200, 200, 200, 200)
    ]
    assert re.search(rf'href="{re.escape(html.escape(site.url))}/confirm/[a-z2-7]{{29}}"', html_of(confirmation))

    way_out = site.link(parse_letter(welcome)["List-Unsubscribe"], "leave")
    assert site.link(text_of(welcome), "leave") == way_out
    leave = await site.get(way_out)
    left = Page(await site.web.post(way_out, data={"List-Unsubscribe": "One-Click"}))
    looked = await site.get(way_out)
    back = await site.press(left)
    pressed = await site.press(leave)
    undone = await site.press(looked)

    assert [page.status for page in (leave, left, looked, back, pressed, undone)] == [200] * 6
    assert (leave.forms[0][0], looked.forms) == (way_out, left.forms)
    assert left.forms[0][0].startswith(f"{site.url}/rejoin/")


async def test_opting_out_a_missing_page_and_a_used_link(site: Site, relay: FakeRelay) -> None:
    await site.press(await site.get(f"{site.url}/join/appeals"), email=ROSA)
    await site.press(await site.get(f"{site.url}/join/appeals/"), email=BEA)
    confirmation = {letter.recipient: text_of(letter) for letter in await relay.wait_for(2)}

    never = await site.press(await site.get(site.link(confirmation[ROSA], "never")))
    other = await site.press(await site.get(site.link(confirmation[BEA], "confirm")), number=1)
    done = await site.press(await site.get(site.link(confirmation[ROSA], "confirm")))
    onward = await site.get(done.links[0])
    nothing = [await site.get(f"{site.url}/{path}") for path in ("nothing", "no/thing", "a/b/c", "leave/x", "join/no/")]

    assert (never.status, other.status, never.forms, other.forms) == (200, 200, [], [])
    assert (done.status, onward.status) == (410, 200)
    assert {page.status for page in nothing} == {404}


async def test_provider_calls_health_and_robots_txt_lie_below_the_path_too(site: Site) -> None:
    provider_call = await site.web.post(f"{site.url}/hooks/postmark", json={})
    unknown = await site.web.post(f"{site.url}/hooks/nobody", json={})
    health = await site.web.get(f"{site.url}/health")
    robots = await site.web.get(f"{site.url}/robots.txt")
    icon = await site.web.get(f"{site.url}/favicon.ico")
    large = await site.web.post(f"{site.url}/hooks/postmark", content=b"x" * 200_000)

    assert (provider_call.status_code, unknown.status_code, large.status_code) == (403, 404, 403)
    assert (health.text, icon.status_code) == ("ok\n", 204)
    assert f"Disallow: {urlsplit(site.url).path}/leave/\n" in robots.text


def test_no_page_names_a_path_of_its_own() -> None:
    for template in (ROOT / "templates" / "pages").glob("*.j2"):
        assert not re.search(r'(?:href|action|src)\s*=\s*"/', template.read_text()), template


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://lists.example.org", "https://lists.example.org"),
        ("https://example.org/lists/", "https://example.org/lists"),
        ("HTTPS://Example.org:8443/Our/Lists//", "https://example.org:8443/Our/Lists"),
        ("https://[2001:db8::1]:8443/lists", "https://[2001:db8::1]:8443/lists"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://example.org/bürger/", "https://example.org/b%C3%BCrger"),
        ("https://example.org/?", None),
        ("https://example.org/#top", None),
        ("https://ada:secret@example.org", None),
        ("https://bücher.example", None),
        ("https://example.org/a/../b", None),
        ("https://example.org/a//b", None),
        ("https://example.org:99999", None),
        ("https://example.org/a b", None),
        ("http://example.org/lists", None),
        ("example.org/lists", None),
    ],
)
def test_a_url_is_normalised_or_refused_by_name(given: str, url: str | None) -> None:
    table = {"service": {"url": given}}
    if url is None:
        with pytest.raises(SettingsRefused, match=r"service\.url: "):
            check_settings(table, Path("settings.toml"))
    else:
        assert check_settings(table, Path("settings.toml")).service.url == url


def html_of(letter: object) -> str:
    body = parse_letter(letter).get_body(("html",))  # type: ignore[arg-type]
    assert body
    return str(body.get_content())


async def test_the_stylesheet_lies_below_the_path_too(site: Site) -> None:
    page = await site.web.get(f"{site.url}/")
    found = re.search(r'<link rel="stylesheet" href="([^"]+)">', page.text)
    assert found

    stylesheet = await site.web.get(str(page.url.join(html.unescape(found[1]))))

    assert stylesheet.status_code == 200
    assert str(stylesheet.url).startswith(f"{site.url}/static/")
