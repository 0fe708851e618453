"""Every template in every language and kind is a letter as receivers and readers want it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from mailer.mail.message.letter import decode_part
from tests.letters.sample_letters import KINDS, TEMPLATES, load_words, make_identity, write_letter
from tests.support.letter_checks import SentLetter, check_letter, check_parts
from tests.support.list_letter_checks import check_campaign_letter, check_list_letter, check_reason, check_signature

MOST_OCTETS = 40_000
"""Of the HTML of the longest sample: less than half of what Gmail shows, and so room for whatever is written."""
MOST_STYLE_OCTETS = 4_000
"""Of the style sheet; Gmail ignores one of more than 8,192."""
_QUICK = {("en", "long"), ("ar", "event"), ("zh", "short"), ("de", "picture")}


def _samples() -> Iterator[object]:
    for template in TEMPLATES.letter_names:
        for language in TEMPLATES.languages:
            for kind in KINDS:
                marks = () if (language, kind) in _QUICK else (pytest.mark.slow,)
                yield pytest.param(template, language, kind, id=f"{template}-{language}-{kind}", marks=marks)


def test_there_are_five_templates_and_words_in_ten_languages():
    assert TEMPLATES.letter_names == ("announcement", "appeal", "invitation", "plain", "roundup")
    assert set(load_words()) == set(TEMPLATES.languages)
    assert len(TEMPLATES.languages) == 10


@pytest.mark.parametrize(("template", "language", "kind"), [*_samples()])
def test_a_letter_has_no_fault(template, language, kind, sign, zone):
    letter = sign(template, language, kind)
    sent = SentLetter(letter.content, letter.return_path, letter.recipient)

    faults = check_letter(sent) + check_list_letter(sent) + check_campaign_letter(sent) + check_signature(sent, zone)
    assert faults + check_parts(sent) == []
    assert len(sent.body("html").encode()) < MOST_OCTETS
    if language == "en":
        assert check_reason(sent) == []


@pytest.mark.parametrize("template", TEMPLATES.letter_names)
@pytest.mark.parametrize("part", ["text", "html"])
def test_both_parts_of_every_template_hold_all_that_was_written(template, part):
    words = load_words()["en"]
    shown = _seen(decode_part(write_letter(template, "en", "long"), part))

    said = ["title", "lead", "greeting", "paragraph", "more", "first", "second", "third", "item", "quote", "button"]
    said += ["event", "place", "alt", "caption", "source", "tag", "reason"]
    for words_of in (words[name] for name in said):
        assert words_of in shown
    for line in (*words["closing"].split("\n"), "50667 Köln", "Open Letters", "4 December 2026, 19:00", "View in"):
        assert line in shown
    assert "https://lists.example.org/archive/mill/42-letter" in shown
    assert "mill@lists.example.org" in shown


@pytest.mark.parametrize("template", TEMPLATES.letter_names)
def test_what_can_be_written_into_tags_is_not_in_the_style_sheet_too(template):
    html = decode_part(write_letter(template, "en", "long"), "html")
    styles = re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL)

    assert len(styles) == 1
    assert len(styles[0]) < MOST_STYLE_OCTETS
    assert all(rule in styles[0] for rule in ("prefers-color-scheme: dark", "max-width: 480px"))
    assert re.search(r'<h1 class="title" style="[^"]*margin: 0', html)


@pytest.mark.parametrize("template", TEMPLATES.letter_names)
def test_a_short_letter_shows_no_empty_boxes(template):
    html = decode_part(write_letter(template, "en", "short"), "html")
    body = html.partition("<body")[2]

    assert not re.search(r"<(p|h\d|div)\b[^>]*>\s*</\1>", body)
    for what in ('class="event', 'class="ticket', 'class="button', 'class="aside', 'class="closing'):
        assert what not in body


@pytest.mark.parametrize("template", TEMPLATES.letter_names)
def test_every_template_takes_the_lists_colour_and_its_logo(template):
    identity = make_identity("en", accent_color="#8a1c5c", logo=f"/media/{'4c' * 16}/circle-400x120.png")
    html = decode_part(write_letter(template, "en", "event", identity), "html")

    assert "#8a1c5c" in html
    assert "#1b6b59" not in html
    logo = re.search(r"<img [^>]*circle-400x120[^>]*>", html)
    assert logo is not None
    for attribute in ('src="https://lists.example.org/media/', 'width="240"', 'height="72"', 'alt="Seed Circle"'):
        assert attribute in logo[0]


@pytest.mark.parametrize("template", TEMPLATES.letter_names)
def test_an_arabic_letter_leaves_nothing_on_the_other_side(template):
    html = decode_part(write_letter(template, "ar", "long"), "html")

    assert '<html lang="ar" dir="rtl"' in html
    assert not re.search(r"text-align: ?left|padding-left: ?(?!16)\d\dpx|border-left", html)


def _seen(text: str) -> str:
    """The words of a part in one line: without marks of quotations and lists, and without tags."""
    links = " ".join(re.findall(r'(?:href|alt)="([^"]*)"', text))
    plain = re.sub(r"<style>.*?</style>|<(?!https:)[^<>]*>", " ", f"{text} {links}", flags=re.DOTALL)
    lines = (re.sub(r"^[>|] ", "", line) for line in plain.splitlines())
    return " ".join(" ".join(lines).split())
