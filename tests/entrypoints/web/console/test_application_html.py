"""The HTML of every page of the console: without errors, and in the reader's language whole."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

import html5lib
import pytest

from mailer.app import App
from mailer.entrypoints.web.console.session_guard import is_open
from tests.support.console_helpers import ADA_OWNER, PSEUDO_OWNER, Furniture, http_browser
from tests.support.console_pages import VIEWS, View, example_path

SENTENCES = {"h1", "h2", "h3", "label", "button", "th", "legend", "summary", "p", "dt", "caption", "figcaption", "a"}
DATA = {"bdi", "time", "code", "kbd", "input", "select", "textarea", "script"}
"""Elements that hold names, texts and commands; whatever has a `dir` does so, too."""


def is_data(element: Element) -> bool:
    return element.tag in DATA or (element.tag != "html" and "dir" in element.attrib)


def own_words(element: Element) -> str:
    """The text of an element without what is data."""
    parts = [element.text or ""]
    for child in element:
        parts += ["" if is_data(child) else own_words(child), child.tail or ""]
    return "".join(parts)


def sentences(element: Element) -> list[str]:
    """All sentences, and names of fields and buttons, that are the page's own."""
    if is_data(element):
        return []
    found = [own_words(element).strip()] if element.tag in SENTENCES else []
    return found + [one for child in element for one in sentences(child)]


@pytest.mark.parametrize("view", VIEWS, ids=str)
async def test_each_page_is_html_without_errors_and_has_one_first_heading(
    house_app: App, furniture: Furniture, view: View
) -> None:
    async with http_browser(house_app, furniture, None if is_open(view.path) else ADA_OWNER) as browser:
        answer = await browser.get(example_path(view, furniture.campaigns), follow_redirects=True)

    page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(answer.text)
    assert len(page.findall(".//h1")) == 1
    assert not re.search(r"<[^>]* (style|on[a-z]+)=", answer.text), "the policy forbids styles and handlers in the page"


@pytest.mark.parametrize("view", VIEWS, ids=str)
async def test_each_page_is_in_the_readers_language_whole(house_app: App, furniture: Furniture, view: View) -> None:
    """What no translator was given stands without brackets."""
    async with http_browser(house_app, furniture, None if is_open(view.path) else PSEUDO_OWNER) as browser:
        browser.headers["Accept-Language"] = PSEUDO_OWNER.language
        answer = await browser.get(example_path(view, furniture.campaigns), follow_redirects=True)

    page = html5lib.parse(answer.text, namespaceHTMLElements=False)
    assert page.get("dir") == "rtl"
    words = [one for one in sentences(page) if re.search("[A-Za-z]{2}", one)]
    assert [one for one in words if "[" not in one] == []


async def test_fields_say_what_may_be_written_into_them(house_app: App, furniture: Furniture) -> None:
    async with http_browser(house_app, furniture, None) as browser:
        page = html5lib.parse((await browser.get("/console/sign-in")).text, namespaceHTMLElements=False)

    (field,) = page.findall(".//input[@name='address']")
    assert {"required", "maxlength", "autocomplete"} <= set(field.keys())
