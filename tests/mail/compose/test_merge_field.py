"""Merge fields: how they are found, escaped and replaced."""

from __future__ import annotations

from html import unescape
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.mail.compose.merge_field import (
    LONGEST_VALUE,
    EscapeContext,
    MergeField,
    Placeholders,
    Slot,
    clean_value,
    escape_value,
    fill_with_fallbacks,
    find_merge_fields,
)

NAME = MergeField("name", "friend")


def test_a_merge_field_is_found_with_either_kind_of_quotes():
    assert find_merge_fields("{{ name or \"friend\" }} {{city or 'town'}}", 1) == (NAME, MergeField("city", "town"))


def test_the_text_without_a_reader_shows_the_fallbacks():
    assert fill_with_fallbacks('Dear {{ name or "friend" }},') == "Dear friend,"


@pytest.mark.parametrize(
    ("context", "written"),
    [
        (EscapeContext.TEXT, "R&b <i>"),
        (EscapeContext.HTML, "R&amp;b &lt;i&gt;"),
        (EscapeContext.URL, "R%26b%20%3Ci%3E"),
    ],
)
def test_a_value_is_escaped_for_where_it_stands(context, written):
    assert escape_value(NAME.value_for({"name": "R&b <i>"}), context) == written


@pytest.mark.parametrize("value", ["", " ", "\x00\n", "\u202e"])
def test_an_empty_value_is_replaced_by_the_fallback(value):
    assert escape_value(NAME.value_for({"name": value}), EscapeContext.TEXT) == "friend"
    assert escape_value(NAME.value_for({}), EscapeContext.TEXT) == "friend"


@given(st.text(st.characters(), max_size=400))
def test_no_value_breaks_a_line_or_grows_without_end(value):
    fitted = clean_value(value)

    assert len(fitted) <= LONGEST_VALUE
    assert fitted.encode().decode().splitlines() in ([fitted], [])


@given(st.text(max_size=100))
def test_escaping_changes_nothing_that_is_read(value):
    read = clean_value(value) or "friend"

    assert unescape(escape_value(NAME.value_for({"name": value.replace("&", "")}), EscapeContext.HTML)) == (
        clean_value(value.replace("&", "")) or "friend"
    )
    assert unquote(escape_value(NAME.value_for({"name": value}), EscapeContext.URL)) == read


@given(st.text(max_size=60), st.text(max_size=60))
def test_placeholders_split_a_text_at_its_merge_fields_and_nowhere_else(before, after):
    text = f'{before}{{{{ name or "friend" }}}}{after}'
    merge_fields = find_merge_fields('{{ name or "friend" }}', 1)
    placeholders = Placeholders.for_text(text, merge_fields)

    pieces = list(placeholders.split_at_placeholders(placeholders.insert_placeholders(text), EscapeContext.HTML))

    assert Slot(NAME, EscapeContext.HTML) in pieces
    assert "".join(piece if isinstance(piece, str) else '{{ name or "friend" }}' for piece in pieces) == text
