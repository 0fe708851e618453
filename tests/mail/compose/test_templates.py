"""The pages of the website in every language: complete, and safe under a strict content security policy."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from mailer.domain.keyring import Keyring
from mailer.domain.language import text_direction
from mailer.domain.mailing_list import MailingList
from mailer.domain.site import ListIdentity, Site
from mailer.mail.compose.templates import Templates

ROOT = Path(__file__).parents[3]
TEMPLATES = Templates(ROOT / "templates", ROOT / "mailer" / "locale")
SITE = Site(
    name="Harvest Letters",
    domain="lists.example.org",
    url="https://lists.example.org",
    owner="ada@example.org",
    keyring=Keyring(b"p" * 32, ((1, b"k" * 32),)),
)
APPEALS = MailingList(
    id=1,
    name="appeals",
    title="Open <Appeals>",
    description="Harvest & library",
    language="en",
    owner="ada@example.org",
)
FORM = {"email": '"rosa"@example.com', "name": "Rosa", "language": "tr"}
VALUES: dict[str, dict[str, Any]] = {
    "join": {
        "list_identity": ListIdentity(site=SITE, mailing_list=APPEALS),
        "action": "/join/appeals",
        "languages": [("en", "English"), ("tr", "Türkçe")],
        "form": FORM,
        "problem": False,
    },
    "subscription_requested": {"action": "/join/appeals", "form": FORM},
    "confirm": {"action": "/confirm/abc"},
    "confirmed": {},
    "declined": {},
    "leave": {"action": "/leave/abc"},
    "old_link": {"action": "/subscription/form", "form": FORM, "problem": False},
    "leave_links_requested": {"form": FORM},
    "test_letter": {"is_view": True},
    "goodbye": {"undo_action": "/rejoin/abc"},
    "rejoin": {"action": "/rejoin/abc"},
    "rejoined": {},
    "never": {"action": "/never/abc"},
    "expired": {},
    "not_found": {},
    "server_error": {},
    "home": {"mailing_lists": [APPEALS, replace(APPEALS, id=2, name="library", description="")]},
}
FORMS = {
    "join": 1,
    "subscription_requested": 1,
    "confirm": 2,
    "leave": 1,
    "old_link": 1,
    "goodbye": 1,
    "rejoin": 1,
    "never": 1,
}


class Tags(HTMLParser):
    """Every tag of a page with its attributes, and whether what was opened was closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in {"meta", "input", "link"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.seen if tag == name]


def render(page: str, language: str = "en", **values: Any) -> str:
    return TEMPLATES.render(
        f"pages/{page}.html",
        language,
        **{"site": SITE, "stylesheet": "/static/pages.css", "mailing_list": APPEALS, **VALUES[page], **values},
    )


def test_every_page_template_is_known_to_these_tests():
    pages = {path.name.removesuffix(".html.j2") for path in (ROOT / "templates" / "pages").glob("*.j2")}
    # Those of the archive are tried by tests/entrypoints/web/public.
    pages = {page for page in pages if not page.startswith(("archive", "earlier"))}

    assert pages == set(VALUES) | {"layout", "mailto"}


@pytest.mark.parametrize("language", TEMPLATES.languages)
@pytest.mark.parametrize("page", VALUES)
def test_a_page_is_complete_names_its_language_and_loads_nothing_from_elsewhere(page, language):
    tags = Tags(render(page, language))

    assert tags.open == []
    assert tags.all("html") == [{"lang": language, "dir": text_direction(language)}]
    assert {"name": "robots", "content": "noindex"} in tags.all("meta")
    assert len(tags.all("title")) == len(tags.all("h1")) == len(tags.all("link")) == 1
    assert {tag for tag, _ in tags.seen}.isdisjoint({"script", "style", "img", "iframe"})
    names = {name for _, attributes in tags.seen for name in attributes}
    assert names.isdisjoint({"style", "src", "onclick", "onsubmit"})


@pytest.mark.parametrize("page", VALUES)
def test_a_title_is_text_on_every_page(page):
    shown = render(page)

    assert "<Appeals>" not in shown
    assert "%(" not in shown


def test_an_address_reads_from_left_to_right_on_a_page_in_arabic():
    digits_first = {**FORM, "email": "7rosa@example.com"}

    assert '<bdi dir="ltr">7rosa@example.com</bdi>' in render("subscription_requested", "ar", form=digits_first)
    assert 'href="mailto:postmaster@lists.example.org" dir="ltr"' in render("server_error", "ar")


@pytest.mark.parametrize("page", VALUES)
def test_every_form_posts_and_has_one_button(page):
    tags = Tags(render(page))

    forms = tags.all("form")
    assert len(forms) == len(tags.all("button")) == FORMS.get(page, 0)
    assert all(form["method"] == "post" and str(form["action"]).startswith("/") for form in forms)


def test_the_form_field_that_traps_bots_is_hidden_from_people():
    tags = Tags(render("join"))

    (trap,) = [field for field in tags.all("input") if field["name"] == "website"]
    assert (trap["tabindex"], trap["autocomplete"], trap["value"]) == ("-1", "off", "")
    assert {"class": "away", "aria-hidden": "true"} in tags.all("div")


def test_a_form_that_was_refused_keeps_what_was_typed_and_says_why():
    tags = Tags(render("join", problem=True))

    email, name, _ = tags.all("input")
    assert (email["value"], name["value"]) == ('"rosa"@example.com', "Rosa")
    assert email["aria-describedby"] == "problem"
    assert [option["value"] for option in tags.all("option") if "selected" in option] == ["tr"]
    assert "Please check how it is spelt." in render("join", problem=True)


def test_the_letter_can_be_requested_again_only_once():
    asked, asked_again = Tags(render("subscription_requested")), Tags(render("subscription_requested", again=True))

    assert {"class": "quiet", "name": "again", "value": "1"} in asked.all("button")
    assert {field["name"]: field["value"] for field in asked.all("input")} == FORM
    assert asked_again.all("form") == []


def test_never_again_is_a_button_of_its_own_after_the_yes():
    yes, never = Tags(render("confirm")).all("button")

    assert yes == {}
    assert never == {"class": "quiet", "name": "never", "value": "1"}


def test_the_stylesheet_is_linked_and_no_style_stands_in_the_page():
    tags = Tags(render("server_error"))

    assert tags.all("link") == [{"rel": "stylesheet", "href": "/static/pages.css"}]
    assert tags.all("style") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(scheme):
    # WCAG 2.2: 4.5 to 1 for words, 3 to 1 for the edges of fields.
    blocks = re.findall(r":root \{(.*?)\}", (ROOT / "mailer/static/pages.css").read_text(), re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", blocks[0 if scheme == "light" else 1]))

    for ink, paper in (
        ("ink", "card"),
        ("soft", "card"),
        ("soft", "page"),
        ("accent", "card"),
        ("alarm", "alarm-page"),
    ):
        assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
    for button in ("accent", "accent-deep"):
        assert contrast(colours["on-accent"], colours[button]) >= 4.5, button
    assert contrast(colours["line"], colours["card"]) >= 3


def contrast(one: str, other: str) -> float:
    """How much lighter the lighter colour is (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    red, green, blue = (linear(int(digits[at : at + 2], 16) / 255) for at in (0, 2, 4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def test_a_template_is_compiled_once_for_all_languages() -> None:
    english, turkish = (
        TEMPLATES.environment(language).get_template("pages/leave.html.j2") for language in ("en", "tr")
    )

    assert english.root_render_func.__code__ is turkish.root_render_func.__code__
    assert english.blocks["content"].__code__ is turkish.blocks["content"].__code__
