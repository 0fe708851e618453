"""Contrast: of words on what they stand on, as mail programs paint them, light and dark."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.mail.preflight.check_contrast import check_contrast, find_faint_words, parse_color
from mailer.mail.preflight.dark_styles import dark_rules
from mailer.mail.preflight.html_elements import read_html
from tests.support.sample_letters import wrong


def faint(page: str) -> list[tuple[str, str, bool]]:
    return [(one.color, one.ground, one.is_dark) for one in find_faint_words(read_html(page))]


@pytest.mark.parametrize(
    "page",
    [
        "<p>Apples</p>",
        '<p style="color:#767676">Apples</p>',
        '<p style="color:#949494;font-size:24px">Apples</p>',
        '<h2 style="color:#949494;font-size:19px">Apples</h2>',
        '<div style="background-color:#000"><p style="color:white">Apples</p></div>',
        '<td bgcolor="#1b6b59"><a style="color:#ffffff">Apples</a></td>',
        '<p style="color:#eee;display:none">Apples</p>',
        '<div style="display:none"><p style="color:#eee">Apples</p></div>',
        '<p style="color:#eee"> · </p>',
        '<div style="background-image:url(a.jpg)"><p style="color:#eee">on a picture</p></div>',
        '<p style="color:rgba(0,0,0,.1)">cannot be read by us</p>',
        '<p style="color:#eee"><span style="color:#000">Apples</span></p>',
    ],
)
def test_words_that_can_be_read_or_that_we_cannot_judge_are_left_alone(page: str) -> None:
    assert faint(page) == []


@pytest.mark.parametrize(
    ("page", "color", "ground"),
    [
        ('<p style="color:#949494">Apples</p>', "#949494", "#ffffff"),
        ('<p style="color:#949494;font-size:18px">Apples</p>', "#949494", "#ffffff"),
        ('<p style="color: RGB(200, 200, 200) !important">Apples</p>', "#c8c8c8", "#ffffff"),
        ('<div style="background:#333"><p>Apples</p></div>', "#000000", "#333333"),
        ('<td bgcolor="#ffee88"><a style="color:#fff">Apples</a></td>', "#ffffff", "#ffee88"),
        ('<font color="silver">Apples</font>', "#c0c0c0", "#ffffff"),
    ],
)
def test_faint_words_are_found_with_their_colours(page: str, color: str, ground: str) -> None:
    assert faint(page) == [(color, ground, False)]


DARK = """<style>@media (max-width: 480px) { .a { color: #fff } }
@media (prefers-color-scheme: dark) { .page { background-color: #111 !important; } .a, td.b p { color: %s !important; }
  .page .c:hover { color: #111 } }</style>"""


def test_the_dark_has_rules_of_its_own() -> None:
    page = '<body class="page"><p class="a" style="color:#000">Apples</p><table><td class="b"><p>Pears</p></td></table>'

    assert faint(DARK % "#fff" + page) == []
    assert faint(DARK % "#333" + page) == [("#333333", "#111111", True)]
    assert [len(rule.parts) for rule in dark_rules([DARK % "#fff"])] == [1, 1, 2]


def test_one_warning_names_the_faintest_words() -> None:
    page = "".join(f'<p style="color:#{one * 6}">Apples {one}</p>' for one in "abcde")

    [(severity, message)] = wrong(check_contrast(read_html(page)))

    assert severity == "warning"
    assert message.startswith("hard to read: “Apples e” is #eeeeee on #ffffff, contrast 1.2 of 4.5; ")
    assert message.endswith("; and 2 more")


@given(st.text(max_size=30))
def test_a_colour_is_six_digits_or_not_understood(value: str) -> None:
    found = parse_color(value)

    assert found is None or (found[0] == "#" and int(found[1:], 16) < 1 << 24)
