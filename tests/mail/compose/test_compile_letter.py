"""Letters with dynamic content: variants, values, checks and the dry run."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from mailer.domain.site import ListIdentity
from mailer.errors import AddressRefused, CampaignFileRefused, LetterRenderFailed
from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.compose.compile_letter import CompiledLetter, DynamicLetter, compile_letter
from mailer.mail.compose.dry_run import dry_run_letter
from mailer.mail.compose.templates import Templates
from mailer.mail.message.letter import Letter, decode_part

ROOT = Path(__file__).parents[3]
SEEDS = """---
subject: '{% if city %}Seeds in {{ city }}{% else %}Seeds for {{ name or "you" }}{% endif %}'
lead: 'For {{ city|upper }}'
action: {label: Come, url: '{% if city %}https://forum.example.org/?town={{ city }}{% endif %}'}
---
Dear {{ name or "friend" }},

{% if city == "Köln" %}
see [the map](https://forum.example.org/{{ city }} "{{ name }}").
{% else %}
**where** do you live, {{ name or "friend" }}?
{% endif %}

{% for seed in seeds.split(",") %}
- {{ seed|trim }}
{% endfor %}
"""


@pytest.fixture
def compiled(list_identity: ListIdentity, templates: Templates) -> Callable[[str], CompiledLetter]:
    """Compile a campaign file's text as campaign 42 for readers of English."""

    def of(text: str) -> CompiledLetter:
        return compile_letter(parse_campaign_file(text, "en"), list_identity, templates, "en", 42)

    return of


def with_body(body: str) -> str:
    return f"---\nsubject: Tea\n---\n{body}\n"


def text_of(letter: Letter) -> str:
    return decode_part(letter, "text").replace("\r\n", "\n")


def subject_of(letter: Letter) -> str:
    return str(message_from_bytes(letter.content, policy=policy.default)["Subject"])


def test_a_condition_decides_what_a_reader_gets(compiled, rosa):
    letter = compiled(SEEDS)

    at_home = letter.write(replace(rosa, attributes={"city": "Köln", "seeds": "rye, oats"}))
    unknown = letter.write(replace(rosa, attributes={}))

    assert (subject_of(at_home), subject_of(unknown)) == ("Seeds in Köln", "Seeds for Rosa")
    assert "For KÖLN\n\nDear Rosa,\n\nsee the map <https://forum.example.org/K%C3%B6ln>.\n\n- rye\n- oats\n" in text_of(
        at_home
    )
    assert "where do you live, Rosa?" in text_of(unknown)
    assert '<a href="https://forum.example.org/?town=K%C3%B6ln"' in decode_part(at_home, "html")
    assert "Come" not in text_of(unknown)


def test_two_outcomes_are_two_letters_for_any_number_of_readers(compiled, rosa):
    letter = compiled(with_body("{% if city %}in {{ city|upper }}{% else %}anywhere{% endif %}, {{ name or 'x' }}"))
    assert isinstance(letter, DynamicLetter)

    written = [
        letter.write(
            replace(rosa, name=f"Reader {number}", attributes={"city": f"City {number}" if number % 2 else ""})
        )
        for number in range(40)
    ]

    assert letter.compose_variant.cache_info().misses == 2
    assert "in CITY 39, Reader 39" in text_of(written[39])
    assert "anywhere, Reader 38" in text_of(written[38])


@pytest.mark.parametrize("value", ["**b** [x](https://a.example) `c`", "<b>&amp;</b>", "# h\n- i", "{{ 7*7 }}{% if %}"])
def test_a_value_is_never_taken_for_markdown_html_or_dynamic_content(compiled, rosa, value):
    letter = compiled(
        with_body("{% if city %}You: {{ city ~ '' }}{% for x in city.split('@') %} {{ x }}{% endfor %}{% endif %}")
    )

    written = letter.write(replace(rosa, attributes={"city": value}))

    said = value.replace("\n", " ")
    assert f"You: {said} {said}" in " ".join(text_of(written).split("* * *")[0].split("\n"))
    assert not re.search(r"<(b|strong|code|li)>|https://a\.example\"", decode_part(written, "html"))


def test_the_language_of_a_reader_is_a_value_like_any_other(compiled, rosa):
    letter = compiled(with_body("{% if language == 'tr' %}Merhaba{% else %}Hello{% endif %} {{ language or 'none' }}"))

    assert "Merhaba tr" in text_of(letter.write(replace(rosa, language="tr")))
    assert "Hello none" in text_of(letter.write(rosa))


def test_a_letter_knows_which_values_it_uses_and_whether_they_need_a_check(compiled):
    plain, scripted = compiled(with_body("{{ name or 'x' }} {{ city or '' }}")), compiled(SEEDS)

    assert (plain.names, plain.needs_check) == ({"name", "city"}, False)
    assert (scripted.names, scripted.needs_check) == ({"name", "city", "seeds"}, True)


@pytest.mark.parametrize(
    ("body", "line", "why"),
    [
        ("one\n{{ 1 / city|length }}", 5, "division by zero"),
        ("{% if not city %}\n\n[x](http://x.example)\n{% endif %}y", 6, "must begin with https"),
        ("{% for x in 'ab'|list %}\n{{ x }}\n{% endfor %}\n{% if not city %}\n![x](y.png){% endif %}", 8, "y.png"),
        ("{% if city %}x{% endif %}", 4, "the body would be empty"),
    ],
)
def test_check_raises_what_write_raises_for_a_reader_for_whom_it_does_not_render(compiled, rosa, body, line, why):
    letter, nobody = compiled(with_body(body)), replace(rosa, attributes={})
    letter.check(rosa)

    with pytest.raises(LetterRenderFailed, match=why) as checked:
        letter.check(nobody)
    with pytest.raises(LetterRenderFailed, match=why):
        letter.write(nobody)

    assert checked.value.line == line


def test_a_subject_that_would_be_empty_for_a_reader_is_no_letter(compiled, rosa):
    letter = compiled("---\nsubject: '{% if city %}Tea{% endif %}'\n---\nHello\n")
    words = compiled("---\nsubject: '{{ city|trim }}'\n---\nHello\n")
    nobody = replace(rosa, attributes={})

    for one in (letter, words):
        one.check(rosa)
        with pytest.raises(LetterRenderFailed, match="subject would be empty"):
            one.check(nobody)


@pytest.mark.parametrize("body", ["Hello", "{% if name %}x{% endif %}y"])
def test_check_knows_an_address_that_cannot_stand_in_a_header(compiled, rosa, body):
    with pytest.raises(AddressRefused):
        compiled(with_body(body)).check(replace(rosa, address="rosa example.org"))


@pytest.mark.parametrize(
    ("body", "line", "why"),
    [
        ("{{ city.split(',')[1] }}", 4, "no element 1 (for a reader of whom nothing is known)"),
        ("x{% if city == 'Köln' %}\n\n[x](ftp://x.example){% endif %}", 6, "for a reader with city 'Köln'"),
        ("x{% if age|int > 17 %}\n\n[x](ftp://x.example){% endif %}", 6, "for a reader with age '18'"),
        ("x{% if city and not name %}{{ 1 / 0 }}{% endif %}", 4, "for a reader with city 'Rosa'"),
        ("[x](https://{{ city|lower }}.example.org)", 4, "has a merge field where its host should be"),
        ("{% for x in range(900) %}{% for y in range(900) %}{{ y }}{% endfor %}{% endfor %}", 4, "too many steps"),
    ],
)
def test_a_mistake_shows_in_the_dry_run(compiled, body, line, why):
    with pytest.raises(CampaignFileRefused) as refused:
        dry_run_letter(compiled(with_body(body)))

    assert (refused.value.line, why in refused.value.reason) == (line, True), refused.value


def test_a_correct_text_passes_the_dry_run(compiled):
    dry_run_letter(compiled(SEEDS))
    dry_run_letter(compiled(with_body("Hello")))


def test_the_examples_of_the_guide_pass_the_dry_run(compiled):
    guide = (ROOT / "docs" / "campaign_file.md").read_text()

    examples = re.findall(r"```markdown\n(.*?)```", guide, re.DOTALL)

    letters = [compiled(one if one.startswith("---") else with_body(one)) for one in examples]
    assert [letter.needs_check for letter in letters] == [False, True, True]
    for letter in letters:
        dry_run_letter(letter)
