"""Holes in a text, and what readers find in their place."""

from __future__ import annotations

from html import unescape
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.mail.compose.merge_field import (
    LONGEST_VALUE,
    Context,
    Hole,
    Marks,
    Slot,
    escaped,
    fill_with_fallbacks,
    find_holes,
    fit,
)

NAME = Hole("name", "friend")


def test_a_hole_is_found_in_either_kind_of_quotes():
    assert find_holes("{{ name or \"friend\" }} {{city or 'town'}}", 1) == (NAME, Hole("city", "town"))


def test_the_text_without_a_reader_shows_the_fallbacks():
    assert fill_with_fallbacks('Dear {{ name or "friend" }},') == "Dear friend,"


@pytest.mark.parametrize(
    ("context", "written"),
    [(Context.TEXT, "R&b <i>"), (Context.HTML, "R&amp;b &lt;i&gt;"), (Context.URL, "R%26b%20%3Ci%3E")],
)
def test_a_value_is_escaped_for_where_it_stands(context, written):
    assert escaped(NAME.word({"name": "R&b <i>"}), context) == written


@pytest.mark.parametrize("value", ["", " ", "\x00\n", "\u202e"])
def test_an_empty_value_gives_way_to_the_fallback(value):
    assert escaped(NAME.word({"name": value}), Context.TEXT) == "friend"
    assert escaped(NAME.word({}), Context.TEXT) == "friend"


@given(st.text(st.characters(), max_size=400))
def test_no_value_breaks_a_line_or_grows_without_end(value):
    fitted = fit(value)

    assert len(fitted) <= LONGEST_VALUE
    assert fitted.encode().decode().splitlines() in ([fitted], [])


@given(st.text(max_size=100))
def test_escaping_changes_nothing_that_is_read(value):
    read = fit(value) or "friend"

    assert unescape(escaped(NAME.word({"name": value.replace("&", "")}), Context.HTML)) == (
        fit(value.replace("&", "")) or "friend"
    )
    assert unquote(escaped(NAME.word({"name": value}), Context.URL)) == read


@given(st.text(max_size=60), st.text(max_size=60))
def test_marking_and_cutting_part_a_text_at_its_holes_and_nowhere_else(before, after):
    text = f'{before}{{{{ name or "friend" }}}}{after}'
    holes = find_holes('{{ name or "friend" }}', 1)
    marks = Marks.of(text, holes)

    pieces = list(marks.cut(marks.mark(text), Context.HTML))

    assert Slot(NAME, Context.HTML) in pieces
    assert "".join(piece if isinstance(piece, str) else '{{ name or "friend" }}' for piece in pieces) == text
