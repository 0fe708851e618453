"""Tables of plain text: aligned where they fit, else one row below the other."""

from __future__ import annotations

from mailer.mail.markdown.markdown import parse_markdown
from mailer.mail.markdown.plain_text import render_plain_text


def plain(source: str) -> str:
    return render_plain_text(parse_markdown(source))


def test_columns_are_aligned_by_what_is_seen_also_in_wide_scripts():
    assert plain("|Hour|种子|\n|-|-|\n|7|a|\n|19:30|种|") == "Hour  | 种子\n------------\n7     | a\n19:30 | 种"


def test_a_table_that_is_too_wide_reads_row_by_row():
    long = "a room with a very long name that is behind the mill " * 2

    assert plain(f"|Hour|Where| |\n|-|-|-|\n|19|{long}|x|\n|20||y|") == (
        "Hour: 19\nWhere: a room with a very long name that is behind the mill a room with\n"
        "a very long name that is behind the mill\nx\n\nHour: 20\ny"
    )


def test_a_table_of_a_head_alone_is_its_words():
    assert (
        plain(f"|{'word ' * 10}|{'other ' * 10}|\n|-|-|")
        == f"{'word ' * 10}\n{'other ' * 10}".replace(" \n", "\n").strip()
    )
