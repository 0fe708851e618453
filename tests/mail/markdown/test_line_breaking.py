"""Line breaks and display width of plain text, in scripts with spaces and without."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from mailer.mail.markdown.line_breaking import display_width, split_at_break_points, underline, wrap

URL = "https://example.org/a-path/?b=c"
SIGNS = st.sampled_from(
    [*"我们欢迎您来。，、？！《》（）“”ab7-", "ー", "\U0001f33e", "\u200d", "한", " ", URL, "ada@example.org"]
)


@pytest.mark.parametrize(
    ("word", "pieces"),
    [
        ("neighbours", ["neighbours"]),
        ("приглашаем", ["приглашаем"]),
        ("주민여러분", ["주민여러분"]),
        ("我们来。", ["我", "们", "来。"]),
        ("订阅《公告》吗？", ["订", "阅", "《公", "告》", "吗？"]),
        ("回复“no”，一切", ["回", "复", "“no”，", "一", "切"]),
        ("写信至ada@example.org吧", ["写", "信", "至", "ada@example.org", "吧"]),
        (f"见{URL}。谢谢", ["见", f"{URL}。", "谢", "谢"]),
        ("コーヒー", ["コー", "ヒー"]),
        ("\U0001f469\u200d\U0001f33e\U0001f44d\U0001f3fd", ["\U0001f469\u200d\U0001f33e", "\U0001f44d\U0001f3fd"]),
    ],
)
def test_a_line_may_end_beside_unspaced_characters_but_not_before_closing_marks(word, pieces):
    assert list(split_at_break_points(word)) == pieces


@pytest.mark.parametrize(
    ("text", "columns"), [("Tea", 3), ("Köln", 4), ("公告。", 6), ("عادةً", 4), ("e\u0301", 1), ("", 0)]
)
def test_a_wide_character_takes_two_columns_and_a_combining_mark_none(text, columns):
    assert display_width(text) == columns


def test_a_chinese_sentence_is_wrapped():
    lines = wrap("我们再次相聚，欢迎您来。" * 20).split("\n")

    assert max(map(display_width, lines)) in {71, 72}
    assert "".join(lines) == "我们再次相聚，欢迎您来。" * 20


@limits(max_examples=60)
@given(st.lists(SIGNS, max_size=120).map("".join))
def test_wrapping_loses_nothing_and_only_unbreakable_pieces_are_wider(text):
    lines = wrap(text, 30).split("\n")

    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert "\n".join(lines).count(URL) == text.count(URL)
    for line in lines:
        assert display_width(line) <= 30 or len(list(split_at_break_points(line))) == 1


def test_wrapping_keeps_the_writers_own_lines():
    assert wrap("Warm regards,\n\nAda") == "Warm regards,\n\nAda"
    assert underline("Tea", "=") == "Tea\n==="
