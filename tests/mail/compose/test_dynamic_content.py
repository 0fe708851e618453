"""Conditions, loops and expressions in a text, and how little they may do."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import CampaignFileRefused, LetterRenderFailed
from mailer.mail.compose.dynamic_content import parse_dynamic_text
from mailer.mail.compose.merge_field import Placeholders
from mailer.mail.compose.sandbox import MOST_STEPS, Evaluation

PLACEHOLDERS = Placeholders("slot00000000", ())


def evaluated(source: str, **values: str) -> str:
    """The text for a person, with its words back in the places of their marks."""
    run = Evaluation(PLACEHOLDERS)
    text = parse_dynamic_text(source, 1).evaluate(values, run)
    for place, word in enumerate(run.values):
        text = text.replace(PLACEHOLDERS.for_index(place), word)
    return text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{% if town %}in {{ town }}{% else %}anywhere{% endif %}", "in Köln"),
        ("{% if away %}in {{ away }}{% elif not town %}x{% else %}here{% endif %}", "here"),
        ("{{ town|upper }} {{ town.lower() }} {{ town[0] }} {{ town[:2] }}", "KÖLN köln K Kö"),
        ("{% for seed in seeds.split(',') %}{{ loop.index }}{{ seed|trim }};{% endfor %}", "1rye;2oats;"),
        ("{% for seed in away.split() %}{{ seed }}{% else %}none{% endfor %}", "none"),
        ("{% set many = seeds.split(',')|length %}{{ many }} kinds", "2 kinds"),
        ("{% if age|int >= 18 %}adult{% endif %}{{ age|int + 1 }} {{ 7 / 2 }} {{ 4 / 2 }}", "adult43 3.5 2"),
        ("{% if town in ['Köln', 'Bonn'] %}Rhine{% endif %}", "Rhine"),
        ("{{ 'Dear' if name == 'Rosa' else 'Hello' }} {{ name ~ '!' }}", "Dear Rosa!"),
        ("{{ seeds.split(',')|join(' and ') }}", "rye and  oats"),
        ("{% for n in range(3) %}{% if n is odd %}{{ n }}{% endif %}{% endfor %}", "1"),
        ('{{ away or "x" }}{{ town or "x" }}{# kept #}', "xKöln{# kept #}"),
        ("{{ away|first }}{{ away|last }}{{ away|default('-') }}", "-"),
    ],
)
def test_dynamic_content_evaluates_to_its_text(source, text):
    assert evaluated(source, name="Rosa", town="Köln", seeds="rye, oats", age="42") == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a\n{% if name %}\nb\n{% endif %}\nc\n", "a\nb\nc\n"),
        ("a\n  {% if name %} {% set x = 1 %}  \nb\n\t{% endif %}\nc", "a\nb\nc"),
        ("a{% if name %}, b{% endif %}\nc", "a, b\nc"),
        ("- a\n  {% if name %}- b{% endif %}\n  c", "- a\n  - b\n  c"),
        ("{% if name -%}\n\n a {%- endif %} b", "a b"),
        ("{% if name %}" * 3 + "a" + "{% endif %}" * 3, "a"),
    ],
)
def test_a_line_of_nothing_but_tags_leaves_no_line_behind_and_other_lines_stay_as_they_are(source, text):
    assert evaluated(source, name="Rosa") == text


def test_dynamic_content_knows_which_values_it_uses():
    source = "{% for seed in seeds.split(',') %}{{ seed }}{{ name }}{% endfor %}{% set x = range(3) %}{{ town|upper }}"

    assert parse_dynamic_text(source, 1).names == {"seeds", "name", "town"}


@given(st.text(max_size=50))
def test_a_value_is_kept_apart_and_never_stands_in_the_evaluated_text(word):
    run = Evaluation(PLACEHOLDERS)

    text = parse_dynamic_text("{{ name ~ '' }}|{% for x in name.split(',') %}{{ x }}{% endfor %}", 1).evaluate(
        {"name": word}, run
    )

    assert text.replace("|", "") == "".join(PLACEHOLDERS.for_index(place) for place in range(len(run.values)))


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{{ name.__class__ }}", "__class__"),
        ("{{ name.format(1) }}", ".format"),
        ("{{ name.upper }}", ".upper"),
        ("{{ ''.join(name) }}", ".join"),
        ("{{ 10 ** 9 }}", r"\*\*"),
        ("{{ name|safe }}", "no filter 'safe'"),
        ("{{ name|each_(0) }}", "no filter 'each_'"),
        ("{{ name|attr('x') }}", "no filter 'attr'"),
        ("{{ name is defined }}", "no test 'defined'"),
        ("{{ lipsum() }}", "can be called"),
        ("{{ name|upper() }}{{ range(*name) }}", "can be called"),
        ("{{ [name] }}", "only hold words and numbers"),
        ("{{ {1: 2} }}", "dict"),
        ("{% include 'x' %}", "include"),
        ("{% import 'x' as x %}", "import"),
        ("{% macro x() %}{% endmacro %}", "macro"),
        ("{% set x %}a{% endset %}", "assignblock"),
        ("{% filter upper %}a{% endfilter %}", "filter"),
        ("{% set loop = 1 %}", "loop cannot be set"),
        ("{{ range or 'x' }}", "range is a function"),
        ("{% for x in name recursive %}{% endfor %}", "recursive"),
        ("{{ " + "(" * 3000, "cannot be read"),
        ("{{ " + "1 + " * 5000 + "1 }}", "cannot be read"),
        ("{{ " + "9" * 5000 + " }}", "cannot be read"),
        ("{{ name|upper|lower }}" * 3000, "too many conditions and expressions"),
        ("{% for a in b %}" * 25 + "{% endfor %}" * 25, "cannot be read"),
    ],
)
def test_what_is_not_allowed_is_refused_with_its_line(source, why):
    with pytest.raises(CampaignFileRefused, match=why) as refused:
        parse_dynamic_text(f"one\n{source}", 5)

    assert refused.value.line in {5, 6}


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{{ 'x' * 1000000000 }}", "numbers up to a million"),
        ("{{ 1000000 * 1000000 * 1000000 }}", "numbers up to a million"),
        ("{{ '%1000000000s' % name }}", "numbers up to a million"),
        ("{% set a = 'xx' %}" + "{% set a = a ~ a %}" * 40, "10000 characters"),
        ("{% set a = 'xx' %}" + "{% set a = a + a %}" * 40, "10000 characters"),
        ("{% set a = 'x,'|replace(',', ',' ~ name) %}" + "{% set a = a|replace('x', a) %}" * 40, "characters"),
        ("{{ range(1000000000) }}", "1000 numbers"),
        ("{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}", "too many steps"),
        ("{% for a in range(300) %}" + "x" * 9000 + "{% endfor %}", "too many steps"),
        ("{% for a in range(100) %}" + "x" * 9000 + "{% endfor %}", "100000 characters"),
        ("{% for a in range(500) %}{{ (name * 1)|upper }}{% endfor %}", "numbers up to a million"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ name.split(',')[4] }}", "no element 4"),
        ("{{ name.split(',') }}", "only a text or a number"),
        ("{{ name == 'x' }}", "only a text or a number"),
        ("{{ name['upper'] }}", "only a text or a number"),
        ("{% if name < 3 %}{% endif %}", "not supported"),
        ("{% for x in 5 %}{% endfor %}", "only a list"),
    ],
)
def test_evaluation_that_grows_or_fails_ends_with_the_line_and_the_reason(source, why):
    with pytest.raises(LetterRenderFailed, match=why) as ended:
        evaluated(f"one\n{source}", name="Rosa")

    assert ended.value.line == 2 or "characters" in why


@pytest.mark.parametrize(
    "open_close", [("(", ")"), ("1 + ", ""), ("not ", ""), ("", "|upper"), ("{% if name %}", "{% endif %}")]
)
@pytest.mark.parametrize("depth", [50, 90, 150, 300, 600, 900])
def test_deep_nesting_is_parsed_or_refused(open_close, depth):
    before, after = open_close
    source = before * depth + "1" + after * depth

    with suppress(CampaignFileRefused, LetterRenderFailed):
        evaluated(source if before.startswith("{%") else f"{{{{ {source} }}}}")


def test_a_loop_counts_by_the_size_of_its_body():
    light, heavy = Evaluation(PLACEHOLDERS), Evaluation(PLACEHOLDERS)

    parse_dynamic_text("{% for a in range(9) %}x{% endfor %}", 1).evaluate({}, light)
    parse_dynamic_text("{% for a in range(9) %}" + "x" * 900 + "{% endfor %}", 1).evaluate({}, heavy)

    assert light.steps < heavy.steps < MOST_STEPS


@given(st.lists(st.sampled_from(["{{", "}}", "{%", "%}", " if ", " for x in ", "endif", "name", "|", "'", ".", "\n"])))
def test_any_text_is_parsed_or_refused_and_evaluated_or_refused(pieces):
    with suppress(CampaignFileRefused, LetterRenderFailed):
        parse_dynamic_text("".join(pieces), 1).evaluate({"name": "Rosa"}, Evaluation(PLACEHOLDERS))
