"""Ten languages in one blast: text, subject, preview, dates, footer, notices and pages are all in the reader's own."""

from __future__ import annotations

import html
import re
from datetime import date, datetime

import httpx
import pytest
from babel.dates import format_date
from babel.numbers import format_decimal

from mailer.actions.campaigns.launch import launch_due
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.schedule import send_now
from mailer.app import App
from mailer.domain.language import text_direction
from mailer.entrypoints.web.application import web_app
from tests.support.app_helpers import (
    ADMIN,
    DOMAIN,
    import_rows,
    open_list,
    parse_letter,
    receive_person_mail,
    send_campaigns,
    send_notices,
    text_of,
    token_in,
)
from tests.support.fake_relay import FakeRelay
from tests.support.fake_relay_session import ReceivedLetter

SUBJECTS = {
    "en": "Come to the harvest forum",
    "de": "Kommen Sie zum Ernteforum",
    "tr": "Hasat forumuna gelin",
    "ar": "تعالوا إلى منتدى الحصاد",
    "zh": "欢迎来丰收论坛",
    "fr": "Venez au forum des récoltes",
    "es": "Vengan al foro de la cosecha",
    "it": "Venite al forum del raccolto",
    "pt": "Venham ao fórum da colheita",
    "ru": "Приходите на форум урожая",
}
READERS = {language: f"reader-{language}@example.org" for language in SUBJECTS}
_TEXT = """\
---
subject: '{subject}, {{{{ name or "" }}}}'
preheader: "{subject} ({language})"
language: {language}
event: {{name: "{subject}", starts: 2027-03-05T19:00, zone: Europe/Berlin, place: "{place}"}}
---

{subject}: {{{{ town or "-" }}}}, {{{{ 1234.5|number }}}}, {{{{ "2026-12-01"|date }}}}
"""


def _words(app: App, language: str, *messages: str) -> list[str]:
    environment = app.templates.environment(language)
    return [_plain(environment.from_string("{{ _(message) }}").render(message=one)) for one in messages]


def _plain(text: str) -> str:
    """On one line, without marks of direction: those depend on what a text is put into."""
    return " ".join(re.sub("[\u2066-\u2069\u200e\u200f]", "", text).split())


def _day_of(day: date, language: str) -> str:
    return _plain(format_date(day, "long", locale="en_GB" if language == "en" else language))


def _html_of(letter: ReceivedLetter) -> str:
    body = parse_letter(letter).get_body(("html",))
    assert body is not None
    return str(body.get_content())


@pytest.fixture
async def letters(app: App, relay: FakeRelay) -> dict[str, ReceivedLetter]:
    """What each reader got of one campaign in ten languages, by language."""
    await open_list(app)
    await import_rows(app, *(f"{address},Rosa,{language}" for language, address in READERS.items()))
    texts = {
        f"{language}.md": _TEXT.format(subject=subject, language=language, place="Köln")
        for language, subject in SUBJECTS.items()
    }
    number = await new_campaign(app, ADMIN, list_name="appeals", texts=texts)
    await send_now(app, ADMIN, number, wait_s=0)
    await launch_due(app)
    await send_campaigns(app)
    found = {one.recipient: one for one in relay.letters}
    assert len(relay.letters) == len(found) == len(READERS)
    return {language: found[address] for language, address in READERS.items()}


async def test_the_letter_is_in_the_readers_language_from_the_subject_to_the_footer(
    app: App, letters: dict[str, ReceivedLetter]
) -> None:
    for language, letter in letters.items():
        text, page = _plain(text_of(letter)), _plain(html.unescape(_html_of(letter)))
        day = _day_of(date(2027, 3, 5), language)
        numbers = (format_decimal(1234.5, locale=language), _day_of(date(2026, 12, 1), language))
        footer = _words(app, language, "Leave this list", "When", "Where")
        assert _plain(str(parse_letter(letter)["Subject"])) == f"{SUBJECTS[language]}, Rosa", language
        assert f"{SUBJECTS[language]} ({language})" in page, language
        for words in (SUBJECTS[language], day, *map(_plain, numbers), *footer):
            assert words in text, (language, words)
            assert words in page, (language, words)
        assert re.search(rf'<html[^>]* lang="{language}"', page), language
        assert f'dir="{text_direction(language)}"' in page, language


async def test_pages_and_notices_of_the_same_readers_are_in_their_language(
    app: App, relay: FakeRelay, letters: dict[str, ReceivedLetter]
) -> None:
    pages = {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web_app(app)), base_url=f"https://{DOMAIN}") as browser:
        for language, letter in letters.items():
            # The browser asks for another language than the reader's.
            headers = {"Accept-Language": "en" if language == "de" else "de"}
            token = token_in(letter, "leave")
            shown = await browser.get(f"/leave/{token}", headers=headers)
            left = await browser.post(f"/leave/{token}", headers=headers)
            pages[language] = (shown, left)
    relay.letters.clear()
    for language, address in READERS.items():
        await receive_person_mail(app, "appeals-join", address, authenticated=True, Subject=f"join {language}")
    await send_notices(app)

    for language, answers in pages.items():
        for answer in answers:
            assert answer.headers["content-language"] == language
            assert f'<html lang="{language}" dir="{text_direction(language)}"' in answer.text
    notices = {one.recipient: one for one in relay.letters}
    for language, address in READERS.items():
        assert re.search(rf'<html[^>]* lang="{language}"', _html_of(notices[address])), language


async def test_whoever_reads_a_language_without_an_edition_gets_words_round_the_text_that_they_read(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app, language="fr")
    await import_rows(app, "luz@example.org,,es-ar", "kawa@example.org,,ku")
    texts = {
        f"{language}.md": _TEXT.format(subject=SUBJECTS[language], language=language, place="Köln")
        for language in ("en", "fr")
    }
    number = await new_campaign(app, ADMIN, list_name="appeals", texts=texts)
    await send_now(app, ADMIN, number, wait_s=0)
    await launch_due(app)
    await send_campaigns(app)

    by_name = {one.recipient.partition("@")[0]: _plain(text_of(one)) for one in relay.letters}
    day = datetime(2027, 3, 5, 19)
    for name, words in (("luz", "es"), ("kawa", "fr")):
        assert SUBJECTS["fr"] in by_name[name], "the list's language"
        assert format_date(day, "long", locale=words) in by_name[name]
        assert _words(app, words, "Leave this list")[0] in by_name[name]
