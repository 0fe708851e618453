"""The campaign's letter, composed once for all readers of a language."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.compose.compose_letter import compose_letter
from mailer.mail.compose.personalise import personalise
from mailer.mail.compose.templates import Templates
from mailer.mail.message.letter import Letter, decode_part

APPEAL = """---
subject: Come to the harvest forum
title: The harvest forum meets again
lead: One evening for everybody.
preheader: Friday at the old mill
event: {name: Harvest forum, place: "The old mill, Mill Lane 3", starts: 2026-12-04T19:00, zone: Europe/Berlin}
action: {label: Count me in, url: 'https://forum.example.org/join?who={{ name or "" }}&town={{ city or "" }}'}
closing: |
  Warm regards,
  Ada
source: {text: Yearly report, url: https://forum.example.org/report}
tags: [harvest, neighbours]
---
Dear {{ name or "friend" }},

see [**last** year](https://forum.example.org/2025?by={{ name or "" }} "For {{ name or "you" }}").
"""
CATALOGUE = """
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\n"

msgid "When"
msgstr "Quand"

msgid "Leave this list"
msgstr "Quitter cette liste"
"""


def seen(letter: Letter, part: str) -> str:
    """The "text" or "html" that a reader sees, with "\\n" line ends."""
    return decode_part(letter, part).replace("\r\n", "\n")


@pytest.fixture
def french(templates, tmp_path) -> Templates:
    """The service's templates, with a catalogue of two words."""
    (tmp_path / "fr.po").write_text(CATALOGUE, encoding="utf-8")
    return replace(templates, locale_directory=tmp_path)


@pytest.mark.parametrize("part", ["text", "html"])
def test_an_event_with_a_day_alone_states_no_hour_no_clock_and_no_place(composed, rosa, part):
    day = "event: {name: Harvest forum, starts: 2026-12-04, zone: Europe/Berlin}"
    text = re.sub("event: .*", day, APPEAL)

    letter = seen(personalise(composed(text), rosa), part)

    assert "Friday, 4 December 2026" in letter
    assert not re.search(
        r"4 December 2026\W+\d|00:00|time|Where", re.sub("<style>.*</style>", "", letter, flags=re.DOTALL)
    )


def test_both_parts_hold_everything_the_organiser_wrote(composed, rosa):
    letter = personalise(composed(APPEAL), rosa)

    for part in (seen(letter, "text"), seen(letter, "html")):
        for words in (
            "The harvest forum meets again",
            "One evening for everybody.",
            "Harvest forum",
            "The old mill, Mill Lane 3",
            "Friday, 4 December 2026, 19:00",
            "Berlin time",
            "Dear Rosa,",
            "Count me in",
            "Warm regards,",
            "Yearly report",
            "https://forum.example.org/report",
            "neighbours",
        ):
            assert words in part


def test_both_parts_say_why_the_letter_came_and_how_to_unsubscribe(composed, rosa):
    letter = personalise(composed(APPEAL), rosa)

    way_out = re.search(rb"List-Unsubscribe: <([^>]+)>", letter.content)
    assert way_out is not None
    for part in (seen(letter, "text"), seen(letter, "html")):
        words = re.sub("<[^<>]*>", "", part)
        assert "You get this letter because you subscribed to Open Appeals." in words
        assert "It is sent by Open Letters." in words
        assert "appeals@lists.example.org" in part
        assert way_out[1].decode() in part


def test_values_in_links_are_percent_encoded_and_elsewhere_escaped(composed, rosa):
    letter = personalise(composed(APPEAL), replace(rosa, name='R&b "<'))

    html, text = seen(letter, "html"), seen(letter, "text")
    assert "Dear R&amp;b &quot;&lt;," in html
    assert 'href="https://forum.example.org/2025?by=R%26b%20%22%3C" title="For R&amp;b &quot;&lt;"' in html
    assert 'href="https://forum.example.org/join?who=R%26b%20%22%3C&amp;town=K%C3%B6ln"' in html
    assert 'Dear R&b "<,' in text
    assert "\nhttps://forum.example.org/join?who=R%26b%20%22%3C&town=K%C3%B6ln\n" in text


def test_our_own_words_are_in_the_readers_language_and_say_so(list_identity, french, rosa):
    letter = personalise(compose_letter(parse_campaign_file(APPEAL, "en"), list_identity, french, "fr", 42), rosa)

    html = seen(letter, "html")
    assert '<html lang="en" dir="ltr"' in html
    assert re.search(r'<p class="label"[^>]* lang="fr"[^>]*>Quand</p>', html)
    assert "Quitter cette liste" in html
    assert "vendredi 4 décembre 2026" in seen(letter, "text")


def test_our_words_carry_no_language_of_their_own_where_it_is_the_letters(composed, rosa):
    assert seen(personalise(composed(APPEAL), rosa), "html").count('lang="en"') == 2


def test_a_letter_that_runs_from_right_to_left_is_set_so(composed, rosa):
    text = "---\nsubject: نداء المكتبة\nlanguage: ar\n---\n- واحد\n"

    html = seen(personalise(composed(text), rosa), "html")

    assert '<html lang="ar" dir="rtl"' in html
    assert "padding-right: 26px" in html


def test_the_words_below_an_arabic_letter_stand_on_their_own_side_in_another_language(composed, rosa):
    text = "---\nsubject: نداء المكتبة\nlanguage: ar\n---\nواحد\n"

    foots = [
        re.search(r'<td class="foot"[^>]*>', seen(personalise(composed(text, language=language), rosa), "html"))
        for language in ("en", "ar")
    ]

    assert ['align="left"' in foot[0] for foot in foots if foot] == [True, False]


def test_left_out_keys_leave_no_trace(composed, rosa):
    letter = personalise(composed("---\nsubject: Tea\n---\nTea is at four.\n"), rosa)

    for part in (seen(letter, "text"), seen(letter, "html")):
        assert not re.search(r"When|Where|Source|None|mso-hide", part)
    assert seen(letter, "text").startswith("Tea\n===\n\nTea is at four.\n\n* * *\n")


def test_the_style_stands_on_the_elements_and_nothing_is_fetched(composed, rosa):
    html = seen(personalise(composed(APPEAL), rosa), "html")

    assert re.search(r'<h1 class="title" style="[^"]*font-size: 32px', html)
    assert "prefers-color-scheme: dark" in html
    assert not re.search(r"<link\b|<script\b|@import|@font-face|url\(", html)
    assert len(html) < 30_000


def test_the_words_beside_the_subject_are_hidden_from_the_page(composed, rosa):
    html = seen(personalise(composed(APPEAL), rosa), "html")

    assert re.search(r'<div style="display: ?none[^"]*">Friday at the old mill', html)


def test_an_unknown_template_is_refused_by_name(composed):
    with pytest.raises(CampaignFileRefused, match="no template called 'postcard'"):
        composed("---\nsubject: Tea\ntemplate: postcard\n---\nHello\n")


def test_a_letter_that_mail_programs_would_cut_off_is_refused(composed):
    body = "\n\n".join(f"Paragraph {number}." for number in range(2500))

    with pytest.raises(CampaignFileRefused, match="octets as HTML"):
        composed(f"---\nsubject: Tea\n---\n{body}\n")


def test_composing_twice_gives_the_same(composed):
    assert composed(APPEAL) == composed(APPEAL)
