"""A letter as the archive shows it: nothing of any reader, nothing from elsewhere, every word whole."""

from __future__ import annotations

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.archive_letter import compose_article, summarize

LETTER = """\
---
subject: 'Come, {{ name or "all" }}'
lead: '{% if city == "Izmir" %}To Izmir{% else %}Wherever you are{% endif %}'
action: {label: 'Yes, {{ name or "*we*" }}', url: 'https://forum.example.org/?n={{ name or "a b" }}&c={{ city or "" }}'}
closing: '{{ name or "Somebody" }}, until then'
tags: [seeds, Ernte]
---
Dear {{ name or "<b>*friend*</b>" }},

{% if city %}
Only in {{ city }}
{% else %}
[Everywhere](https://example.org/{{ city or "ö/ä" }})
{% endif %}
"""
SCRIPTS = (
    "Bread & butter",
    "Äpfel „ganz“ süß",
    "Işıklı bir İzmir",
    "تعالوا إلى منتدى الحصاد",
    "请来参加丰收论坛",
    "L’été où l’œuf",
    "¡Mañana, señoras!",
    "Così è",
    "Amanhã há pão",
    "Приходите на праздник",
)


def test_values_of_readers_are_at_their_default_and_stand_as_text():
    article = compose_article(LETTER, "en", "en")

    assert article.title == "Come, all"
    assert article.lead == article.description == "Wherever you are"
    assert article.action_label == "Yes, *we*"
    assert article.action_url == "https://forum.example.org/?n=a%20b&c="
    assert article.closing == "Somebody, until then"
    assert article.tags == ("seeds", "Ernte")
    assert article.body == (
        "<p>Dear &lt;b&gt;*friend*&lt;/b&gt;,</p>\n"
        '<p><a href="https://example.org/%C3%B6%2F%C3%A4">Everywhere</a></p>\n'
    )


def test_conditions_of_segments_are_as_for_a_reader_without_values():
    subject = "Seeds{% if segment.far %} by mail{% endif %}"
    text = f"---\nsubject: {subject}\n---\n{{% if segment.izmir %}}Izmir.{{% endif %}} All.\n"
    segments = {"izmir": 'city == "Izmir"', "far": "not city"}

    article = compose_article(text, "en", "en", segments)

    assert article.title == summarize(text, segments).title == "Seeds by mail"
    assert "Izmir" not in article.body


def test_numbers_and_dates_follow_the_language_of_the_edition():
    text = "---\nsubject: Seeds\nlanguage: de\n---\n{{ 1234.5|number }}, {{ '2026-12-01'|date }}\n"

    assert "1.234,5, 1. Dezember 2026" in compose_article(text, "de", "en").body


def test_an_index_tells_the_same_of_it_as_its_page():
    summary, article = summarize(LETTER), compose_article(LETTER, "en", "en")

    assert (summary.title, summary.lead, summary.tags) == (article.title, article.lead, article.tags)


def test_a_letter_without_a_lead_is_described_by_its_first_words():
    text = f"---\nsubject: Seeds\n---\n**Bring** {'your own seeds ' * 40}\n"

    description = compose_article(text, "en", "en").description

    assert description.startswith("Bring your own seeds")
    assert len(description) <= 201
    assert description.endswith("…")


def test_an_event_is_told_in_the_language_of_the_page():
    event = "event: {name: Forum, place: Barn, starts: 2027-03-05T19:00, zone: Europe/Berlin}"
    article = compose_article(f"---\nsubject: Seeds\n{event}\n---\nCome.\n", "en", "de")

    assert article.event_date is not None
    assert article.event_date.when == "Freitag, 5. März 2027, 19:00"


@pytest.mark.parametrize("words", SCRIPTS)
# Noncharacters (in Cn) are no valid HTML.
@given(more=st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=80))
def test_words_in_every_script_survive(words, more):
    title = " ".join(f"{words} {more}".split())
    quoted = title.replace("'", "''")
    try:
        article = compose_article(f"---\nsubject: '{quoted}'\n---\n{words}\n\n{more}\n", "en", "en")
    except CampaignFileRefused:
        return  # no campaign can have such a text

    assert article.title == title
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parseFragment(article.body)
    assert "".join(tree.itertext()).startswith(words)
