"""The Atom feed of an archive, read as feed readers read it."""

from __future__ import annotations

import re
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast
from xml.etree import ElementTree

import feedparser
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailer.actions.archive.archive_feed import FeedEntry
from mailer.actions.archive.open_archive import OpenArchive
from mailer.actions.lists.edit_list import set_list
from mailer.app import App
from mailer.domain.mailing_list import MailingList
from mailer.entrypoints.web.public.archive_feed import write_feed
from mailer.errors import MailerError
from mailer.mail.compose.archive_letter import compose_article
from mailer.mail.compose.templates import Templates
from tests.support.app_helpers import (
    ADA,
    ADMIN,
    APPEAL,
    EMMA,
    Clock,
    import_rows,
    launch_campaign,
    make_app,
    open_list,
    send_campaigns,
)
from tests.support.running_service import RunningService, running_service

TURKISH = """\
---
subject: Hasat
language: tr
event:
  name: Hasat
  place: Ahır
  starts: 2027-03-05T19:00
  zone: Europe/Berlin
---
Merhaba {{ name or "dostum" }}.
"""
SCRIPTS = {
    "en": "Bread & <b>butter</b>",
    "de": "Äpfel für alle, „ganz“ süß",
    "tr": "Işıklı bir İzmir akşamı",
    "ar": "تعالوا إلى منتدى الحصاد",
    "zh": "请来参加丰收论坛",
    "fr": "L’été où l’œuf…",
    "es": "¡Mañana, señoras!",
    "it": "Così è, perché no",
    "pt": "Amanhã há pão",
    "ru": "Приходите на праздник урожая",
}


@pytest.fixture
async def service(app: App, clock: Clock) -> AsyncIterator[RunningService]:
    """The running service with Ada's public list and two letters, the first of them in Turkish, too."""
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,en")
    await set_list(app, ADMIN, "appeals", archive="public", description="Letters on seeds.")
    await launch_campaign(app, en=APPEAL, tr=TURKISH)
    clock.advance(hours=2)
    await launch_campaign(app, en="---\nsubject: Bread\n---\nBake.\n")
    await send_campaigns(app)
    async with running_service(app) as running:
        yield running


async def test_a_feed_reader_finds_every_letter_whole(service: RunningService) -> None:
    answer = await service.browser.get("/archive/appeals/feed.atom")
    feed = feedparser.parse(answer.content)

    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    assert not feed.bozo
    assert (feed.feed.title, feed.feed.subtitle) == ("Open Appeals", "Letters on seeds.")
    assert feed.feed.id == "https://lists.example.org/archive/appeals/feed.atom"
    assert feed.feed.updated == "2027-03-01T10:00:00+00:00"
    assert [one.title for one in feed.entries] == ["Bread", "Come to the harvest forum"]
    first = feed.entries[1]
    assert first.id == "https://lists.example.org/archive/appeals/1-letter"
    assert first.link == "https://lists.example.org/archive/appeals/1-come-to-the-harvest-forum"
    assert first.published == "2027-03-01T08:00:00+00:00"
    assert [one.term for one in first.tags] == ["harvest", "seeds"]
    assert first.content[0].language == "en"
    assert "Dear friend" in first.content[0].value
    assert "Friday, 5 March 2027" in first.content[0].value
    assert "Emma" not in answer.text


async def test_a_language_has_a_feed_of_the_letters_in_it(service: RunningService) -> None:
    feed = feedparser.parse((await service.browser.get("/archive/appeals/feed.tr.atom")).content)

    assert feed.feed.id == "https://lists.example.org/archive/appeals/feed.tr.atom"
    assert [(one.title, one.link) for one in feed.entries] == [
        ("Hasat", "https://lists.example.org/archive/appeals/1-hasat/tr")
    ]
    assert feed.entries[0].id == "https://lists.example.org/archive/appeals/1-letter/tr"
    assert "Ne zaman" in feed.entries[0].content[0].value


class WatchedTemplates:
    """The templates of the service, which note in which thread the articles of a feed are written."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        self.written_in: list[threading.Thread] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._templates, name)

    def render(self, name: str, *args: Any, **values: Any) -> str:
        if name == "pages/archive_article.html":
            self.written_in.append(threading.current_thread())
        return self._templates.render(name, *args, **values)


async def test_others_are_answered_while_a_feed_is_written(app: App) -> None:
    """Twenty long letters take a quarter of a second, and anybody may ask for them."""
    await open_list(app)
    await import_rows(app, f"{EMMA},Emma,en")
    await set_list(app, ADMIN, "appeals", archive="public")
    await launch_campaign(app, en="---\nsubject: Bread\n---\nBake.\n")
    await send_campaigns(app)
    watched = WatchedTemplates(app.templates)

    async with running_service(replace(app, templates=cast("Templates", watched))) as running:
        await running.browser.get("/archive/appeals/feed.atom")

    assert len(watched.written_in) == 1
    assert threading.current_thread() not in watched.written_in


async def test_the_feed_of_a_list_without_letters_is_one(app: App) -> None:
    await open_list(app)
    await set_list(app, ADMIN, "appeals", archive="public")

    async with running_service(app) as running:
        first, again = [await running.browser.get("/archive/appeals/feed.atom") for _ in range(2)]

    assert first.content == again.content
    assert not feedparser.parse(first.content).bozo
    assert feedparser.parse(first.content).entries == []


ATOM = "{http://www.w3.org/2005/Atom}"
WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="{}\u2028\u2029"), min_size=1, max_size=60
)


@pytest.mark.parametrize("language", sorted(SCRIPTS))
@given(words=WORDS)
@example(words="\u00c2\u00a1")
def test_words_of_every_script_come_out_of_the_feed_as_they_went_in(language: str, words: str) -> None:
    title = " ".join(f"{SCRIPTS[language]} {words}".split())
    quoted = title.replace("'", "''")
    text = f"---\nsubject: '{quoted}'\nlanguage: {language}\n---\n{SCRIPTS[language].replace('<b>', '')}\n"
    try:
        article = compose_article(text, "en", "en")
    except MailerError:
        return  # no campaign can have such a subject
    at = datetime(2027, 3, 1, tzinfo=UTC)
    entry = FeedEntry(
        article=article, name="1-x", lasting_name="1-letter", launched_at=at, changed_at=at, words_in="en"
    )
    mailing_list = MailingList(id=1, name="appeals", title=title, description="", language=language, owner=ADA)

    written = write_feed(make_app("sqlite://", Clock(), 9), OpenArchive(mailing_list=mailing_list), None, (entry,))
    feed = feedparser.parse(written.encode(), sanitize_html=False)
    # Not as feedparser has them, which reads letters of Latin-1 that happen to be UTF-8 as that.
    titles = [one.text or "" for one in ElementTree.fromstring(written).iter(f"{ATOM}title")]

    assert not feed.bozo
    assert titles == [re.sub("[\ufffe\uffff]", " ", title)] * 2
