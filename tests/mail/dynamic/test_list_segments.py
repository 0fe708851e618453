"""The conditions that a list keeps as segments are checked before a letter uses them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import ListDesignRefused
from mailer.mail.compose.dynamic_content import parse_dynamic_text
from mailer.mail.compose.merge_field import Placeholders
from mailer.mail.compose.sandbox import Evaluation
from mailer.mail.dynamic.list_segments import MOST_SEGMENTS, check_segments, merge_segments


@pytest.mark.parametrize(
    ("name", "condition", "says"),
    [
        ("Izmir", "city", "use lower-case letters"),
        ("a-b", "city", "use lower-case letters"),
        ("", "city", "use lower-case letters"),
        ("x" * 41, "city", "at most 40"),
        ("x", "city ==", "is no condition"),
        ("x", "city %}{{ name }}{% if city", "is no condition"),
        ("x", "city %}{% endif %}{% if city", "more than one expression"),
        ("x", "city %}{% elif name", "more than one expression"),
        ("x", "city -%} words {%- elif name", "more than one expression"),
        ("x", "segment.y", "names a segment"),
        ("x", "city.upper", "cannot be used here"),
        ("x", "open('/etc/passwd')", "can be called"),
        ("x", "city.__class__", "cannot be used here"),
        ("x", "'a' * 10**9", "cannot stand in a letter"),
        ("x", "age|int > '60'", "not supported"),
        ("x", "1 / (age|int)", "division by zero"),
        ("x", "city.split(',')[1]", "no element 1"),
        ("x", "a or " * 100 + "b", "at most 500"),
        ("x", "city\n== 'a'", "on one line"),
    ],
)
def test_what_no_letter_could_use_is_refused_with_its_name(name: str, condition: str, says: str) -> None:
    with pytest.raises(ListDesignRefused, match=says):
        check_segments({name: condition})


def test_changes_take_the_place_of_segments_of_the_same_name_and_empty_ones_remove_them() -> None:
    changes = check_segments({"izmir": " city == 'Izmir' ", "old": "", "never": ""})

    assert merge_segments({"old": "age", "other": "name"}, changes) == {"izmir": "city == 'Izmir'", "other": "name"}


def test_a_list_has_so_many_segments_and_no_more() -> None:
    present = {f"s{number}": "name" for number in range(MOST_SEGMENTS)}

    assert len(merge_segments(present, {"s1": "city"})) == MOST_SEGMENTS
    with pytest.raises(ListDesignRefused, match="the most is 50"):
        merge_segments(present, {"one_more": "city"})
    with pytest.raises(ListDesignRefused, match="the most is 50"):
        check_segments({**present, "one_more": "city"})


@given(st.text("cityname =!<>'\"|()%{}#.[]0169+~*-\n", max_size=40))
def test_a_condition_is_refused_or_can_stand_in_any_letter(condition: str) -> None:
    try:
        kept = check_segments({"x": condition})["x"]
    except ListDesignRefused:
        return

    if kept:
        text = parse_dynamic_text("a\n{% if segment.x %}b{% endif %}c", 1, {"x": kept})
        shown = text.evaluate({}, Evaluation(Placeholders.for_text("", ())))
        assert shown in {"a\nbc", "a\nc"}
