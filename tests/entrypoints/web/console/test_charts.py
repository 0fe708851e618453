"""Charts: shapes add up to what the numbers say, and small numbers can still be seen."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.entrypoints.web.console.charts import (
    HEIGHT,
    WIDTH,
    column_chart,
    line_chart,
    round_up,
    stacked_bar,
)
from mailer.mail.compose.templates import Templates
from tests.support.app_helpers import ROOT

NUMBERS = st.integers(min_value=0, max_value=10_000_000)


@given(st.lists(NUMBERS, max_size=10))
def test_the_parts_of_a_bar_fill_it_without_gaps_in_their_order(numbers: list[int]) -> None:
    bar = stacked_bar({f"part{place}": number for place, number in enumerate(numbers)})

    assert bar.total == sum(numbers)
    assert [part.number for part in bar.parts] == [number for number in numbers if number]
    end = 0.0
    for part in bar.parts:
        assert part.x == pytest.approx(end, abs=1)
        assert part.width >= 3.9
        end = part.x + part.width
    assert not bar.parts or end == pytest.approx(WIDTH, abs=1)


def test_one_refused_letter_of_a_million_can_be_seen() -> None:
    bar = stacked_bar({"accepted": 999_999, "failed": 1, "suppressed": 0})

    assert [part.name for part in bar.parts] == ["accepted", "failed"]
    assert bar.parts[1].width == 4
    assert bar.parts[0].width == WIDTH - 4


def test_parts_that_are_wide_enough_are_in_proportion() -> None:
    assert [part.width for part in stacked_bar({"a": 300, "b": 100}).parts] == [750, 250]


@given(st.integers(min_value=1, max_value=90).flatmap(lambda n: st.lists(st.tuples(*[NUMBERS] * n), max_size=4)))
def test_columns_stand_on_each_other_and_stay_within_the_drawing(rows: list[tuple[int, ...]]) -> None:
    chart = column_chart({f"series{place}": row for place, row in enumerate(rows)})

    for stack in zip(*chart.series.values(), strict=True):
        lower = float(HEIGHT)
        for column in stack:
            assert column.y + column.height == pytest.approx(lower, abs=0.2)
            assert column.y >= -0.2
            assert 0 <= column.x <= WIDTH
            lower = column.y


def test_a_chart_of_nothing_says_that_it_is_empty() -> None:
    assert column_chart({"left": [0, 0]}).is_empty
    assert column_chart({"left": []}).is_empty
    assert line_chart({"joined": [0, 0], "left": [0, 0]}).is_empty
    assert not line_chart({"joined": [0, 1]}).is_empty


@given(st.lists(NUMBERS, min_size=1, max_size=90))
def test_a_line_goes_from_one_edge_to_the_other_and_stays_within_the_drawing(values: list[int]) -> None:
    points = [tuple(map(float, point.split(","))) for point in line_chart({"one": values}).series["one"].split()]

    assert points[0][0] == 0
    assert points[-1][0] == pytest.approx(WIDTH)
    assert all(-0.1 <= y <= HEIGHT for _, y in points)


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (0.5, 1), (1, 1), (3, 5), (5, 5), (7, 10), (11, 20), (49, 50), (501, 1000), (1001, 2000)]
)
def test_the_upper_edge_is_a_round_number(value: float, top: float) -> None:
    assert round_up(value) == top


def test_a_drawing_has_neither_style_nor_script_and_a_table_says_the_same() -> None:
    environment = Templates(ROOT / "templates", ROOT / "mailer" / "locale").environment("en")
    template = environment.from_string(
        '{% autoescape true %}{% import "console/charts.html.j2" as charts %}'
        '{% call charts.figure("Joins and leaves", charts.line_drawing(chart, names, "90 days"), names,'
        ' ["Day", "Joined"], first="1 Dec", last="2 Dec", top="5") %}<tr><th scope="row">1 Dec</th><td>3</td></tr>'
        "{% endcall %}{{ charts.bar_drawing(bar, names, label) }}{{ charts.column_drawing(columns, names, label) }}"
        "{% endautoescape %}"
    )

    html = template.render(
        chart=line_chart({"joined": [3, 5]}),
        columns=column_chart({"joined": [3, 5]}),
        bar=stacked_bar({"joined": 8}),
        names={"joined": ('Joined <"Rosa">', "second")},
        label='8 "joined" <b>',
    )

    assert "style" not in html
    assert "<script" not in html
    assert "<b>" not in html
    assert len(re.findall('<svg class="chart(?: bar)?"', html)) == 3
    assert '<polyline class="second" points="0,64 1000,0"' in html
    assert '<th scope="row">1 Dec</th><td>3</td>' in html
