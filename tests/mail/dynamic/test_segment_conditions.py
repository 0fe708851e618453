"""Segments in letters: each stands for the list's condition of that name."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from mailer.domain.site import ListIdentity
from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.compose.compile_letter import compile_letter
from mailer.mail.compose.dry_run import dry_run_letter
from mailer.mail.compose.dynamic_content import parse_dynamic_text
from mailer.mail.compose.merge_field import Placeholders
from mailer.mail.compose.sandbox import Evaluation
from mailer.mail.message.letter import decode_part

SEGMENTS = {"aegean": 'city == "Izmir" or city == "Aydın"', "elders": "age|int >= 60", "known": "name"}


def written(text: str, segments: dict[str, str] | None = SEGMENTS, **values: str) -> str:
    return parse_dynamic_text(text, 1, segments).evaluate(values, Evaluation(Placeholders.for_text("", ())))


@pytest.mark.parametrize(
    ("text", "values", "result"),
    [
        ("{% if segment.aegean %}near{% else %}far{% endif %}", {"city": "Aydın"}, "near"),
        ("{% if segment.aegean %}near{% else %}far{% endif %}", {}, "far"),
        ("{% if not segment.aegean %}far{% endif %}", {"city": "Köln"}, "far"),
        # The condition is one value, however it is put together.
        ("{% if segment.elders and segment.aegean %}x{% endif %}", {"city": "Aydın"}, ""),
        ("{% if segment.elders and segment.aegean %}x{% endif %}", {"city": "Izmir", "age": "61"}, "x"),
        ("{% for x in list.split(',') %}{% if segment.elders %}{% endif %}y{% endfor %}", {"list": "a,b"}, "yy"),
        ("{% set far = not segment.aegean %}{% if far %}z{% endif %}", {}, "z"),
        ("{% if segment == 'a' %}own{% endif %}", {"segment": "a"}, "own"),
    ],
)
def test_a_segment_is_its_condition(text: str, values: dict[str, str], result: str) -> None:
    assert written(text, **values) == result


def test_the_values_of_its_condition_are_those_of_the_text() -> None:
    text = parse_dynamic_text("{% if segment.aegean or segment.elders %}{{ name or 'x' }}{% endif %}", 1, SEGMENTS)

    assert text.names == {"city", "age", "name"}
    assert {"Izmir", "Aydın", 60} <= set(text.constants)


@pytest.mark.parametrize(
    ("text", "segments", "says"),
    [
        ("{% if segment.izmir %}{% endif %}", SEGMENTS, "no segment 'izmir': it has aegean, elders, known"),
        ("{% if segment.izmir %}{% endif %}", {}, "it has none; `mailer list set LIST --segment NAME=CONDITION`"),
        ("{{ segment.known }}", SEGMENTS, "is a condition: write {% if segment.known %}"),
        ("{% if segment.known() %}{% endif %}", SEGMENTS, "only methods of text and lists"),
    ],
)
def test_a_wrong_use_is_refused_by_line(text: str, segments: dict[str, str], says: str) -> None:
    with pytest.raises(CampaignFileRefused, match=re.escape(says)) as refused:
        parse_dynamic_text(f"Hi\n{text}", 4, segments)
    assert refused.value.line == 5


def test_a_text_that_is_read_without_its_list_may_name_any_segment_and_nobody_is_in_it() -> None:
    assert written("{% if segment.anything %}x{% else %}y{% endif %}", None) == "y"


@pytest.fixture
def of_list(list_identity: ListIdentity) -> ListIdentity:
    """The list, with a segment for readers in Köln."""
    return replace(
        list_identity, mailing_list=replace(list_identity.mailing_list, segments={"rhine": "city == 'Köln'"})
    )


def test_a_letter_takes_the_segments_of_its_list(of_list: ListIdentity, list_identity, templates, rosa) -> None:
    subject = "{% if segment.rhine %}Near{% else %}Far{% endif %}"
    text = f"---\nsubject: '{subject}'\n---\n{{% if segment.rhine %}}\nCome.\n{{% endif %}}\nHi\n"

    letter = compile_letter(parse_campaign_file(text, "en"), of_list, templates, "en", 42)
    dry_run_letter(letter)
    near, far = letter.write(rosa), letter.write(replace(rosa, attributes={}))

    assert b"Subject: Near\r\n" in near.content
    assert b"Subject: Far\r\n" in far.content
    assert ("Come." in decode_part(near, "text"), "Come." in decode_part(far, "text")) == (True, False)
    with pytest.raises(CampaignFileRefused, match="no segment 'rhine'") as refused:
        compile_letter(parse_campaign_file(text, "en"), list_identity, templates, "en", 42)
    assert refused.value.line == 2


def test_a_mistake_below_a_segment_keeps_its_line(of_list: ListIdentity, templates) -> None:
    link = "[a](http://{{ city|lower }}.example.org)"
    text = f"---\nsubject: Hi\n---\n{{% if segment.rhine %}}\n\n{link}\n{{% endif %}}\nHi\n"

    with pytest.raises(CampaignFileRefused) as refused:
        dry_run_letter(compile_letter(parse_campaign_file(text, "en"), of_list, templates, "en", 42))

    assert refused.value.line == 6
