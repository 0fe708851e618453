"""A letter has the same octets however it is compiled, and is ready for the wire (Hypothesis)."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest
import yaml
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from mailer.errors import CampaignFileRefused, LetterRenderFailed
from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.compose.compile_letter import DynamicLetter, PlainLetter, compile_dynamic_letter, compile_letter
from mailer.mail.message.letter import Letter, decode_part

WORDS = st.text("abcdeé .,*_`#<>&\"'\\[]()|~-\n\t", max_size=12)
FALLBACKS = st.sampled_from(["friend", "", "x\\ny", "a b ", " é", "<i>", "**b**", ".", "\u202ex", "w" * 80])
NAMES = st.sampled_from(["name", "language", "city", "größe"])
FIELDS = st.builds('{{{{ {} or "{}" }}}}'.format, NAMES, FALLBACKS)
URLS = st.builds("https://forum.example.org/{}?q={}#f".format, FIELDS, FIELDS)
MARKDOWN = st.one_of(
    *(WORDS, FIELDS, FIELDS),
    st.builds("[{}]({} '{}')".format, FIELDS, URLS, FIELDS),
    st.builds(
        "\n\n# {}\n\n> {}\n\n- {}\n- `{}`\n\n    {}\n\n".format,
        FIELDS,
        FIELDS,
        FIELDS,
        FIELDS,
        FIELDS,
    ),
    st.builds("\n\n| a | {} |\n|---|---|\n| {} | b |\n\n".format, FIELDS, FIELDS),
    st.builds("![{}]({}) <{}>".format, FIELDS, URLS, URLS),
    st.builds("\n\n[Go {}]({}){{.button}}\n\n".format, FIELDS, URLS),
    st.builds("\n\n::: callout\n{}\n\n- {}\n:::\n\n![{}]({} '{}')\n\n".format, FIELDS, FIELDS, FIELDS, URLS, FIELDS),
    st.builds("\n\n::: columns\n::: column\n{}\n:::\n::: column\n{}\n:::\n:::\n\n".format, FIELDS, FIELDS),
    st.builds("\n\n::: signature\n{}\nA {}\n:::\n\n".format, FIELDS, FIELDS),
)
REFERENCES = st.builds("[{}]\n\n[{}]: https://forum.example.org/\n\n".format, FIELDS, FIELDS)
LINES = st.lists(st.one_of(st.text("abé .<&\"'\\*=?", max_size=12), FIELDS), max_size=4).map("".join)
DYNAMIC_TEXTS = st.recursive(
    MARKDOWN | st.sampled_from(["{{ city|upper }}", "{{ name ~ '!' }}", "{{ city.split(',')[0] }}"]),
    lambda inner: st.one_of(
        st.builds("{{% if {} %}}\n{}\n{{% else %}}\n{}\n{{% endif %}}\n".format, NAMES, inner, inner),
        st.builds("{{% for x in {}.split(',') %}}\n- {{{{ x }}}}{}\n{{% endfor %}}\n".format, NAMES, inner),
    ),
    max_leaves=4,
)
HOSTILE = st.one_of(
    st.text(max_size=12),
    st.text(st.characters(), max_size=260),
    st.lists(st.text(max_size=5), max_size=4).map(",".join),
    st.sampled_from(
        ["\r\nBcc: m@example.org", ".", "\r\n.\r\n", "<script>", "{{ 7*7 }}", "{% if %}", "\ud800", "From x"]
    ),
)
PEOPLE = st.fixed_dictionaries({}, optional={"name": HOSTILE, "language": HOSTILE, "city": HOSTILE, "größe": HOSTILE})


@st.composite
def campaign_files(draw: st.DrawFn, bodies: st.SearchStrategy[str]) -> str:
    front = {"subject": f"Tea {draw(LINES)}"}
    for key in ("title", "lead", "preheader", "closing"):
        if draw(st.booleans()):
            front[key] = draw(LINES)
    action = {"action": {"label": f"Go {draw(LINES)}", "url": draw(URLS)}} if draw(st.booleans()) else {}
    head = yaml.safe_dump(front | action, allow_unicode=True, width=10**6)
    return f"---\n{head}---\n{draw(bodies)}\n"


def plain(body: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(body, min_size=1, max_size=5).map("".join)


def read(text: str):
    try:
        return parse_campaign_file(text, "en")
    except CampaignFileRefused as refusal:
        event(refusal.reason[:20])
        assume(False)


def knowing(rosa, values: dict[str, str]):
    attributes = {key: value for key, value in values.items() if key not in {"name", "language"}}
    return replace(rosa, name=values.get("name"), language=values.get("language"), attributes=attributes)


def assert_ready_for_the_wire(letter: Letter) -> None:
    """ASCII in lines that end in CRLF, none too long, none begins with a dot."""
    assert letter.content.endswith(b"\r\n")
    assert not re.search(rb"[^ -~\r\n]|(?<!\r)\n|\r(?!\n)|(?:\A|\n)\.", letter.content)
    assert max(map(len, letter.content.split(b"\r\n"))) <= 998


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(text=campaign_files(plain(MARKDOWN | REFERENCES)), people=st.lists(PEOPLE, min_size=1, max_size=3))
def test_a_letter_that_is_spliced_and_one_evaluated_for_a_single_person_are_the_same(
    list_identity, templates, rosa, text, people
):
    parts = (read(text), list_identity, templates, "en", 42)
    once = compile_letter(*parts)
    assert isinstance(once, PlainLetter)

    for values in people:
        person = knowing(rosa, values)
        spliced, in_full = once.write(person), compile_dynamic_letter(*parts).write(person)

        assert spliced == in_full
        assert_ready_for_the_wire(spliced)


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(text=campaign_files(plain(DYNAMIC_TEXTS)), people=st.lists(PEOPLE, min_size=2, max_size=4))
def test_a_cached_variant_and_one_composed_anew_are_the_same(list_identity, templates, rosa, text, people):
    parts = (read(text), list_identity, templates, "en", 42)
    kept = compile_dynamic_letter(*parts)

    for values in [*people, *people]:
        person, anew = knowing(rosa, values), compile_dynamic_letter(*parts)
        letter = written(kept, person)

        assert letter == written(anew, person)
        if isinstance(letter, Letter):
            assert_ready_for_the_wire(letter)


def written(letter: DynamicLetter, person) -> Letter | str:
    """The letter, or why there is none: `check` must agree."""
    try:
        letter.check(person)
    except LetterRenderFailed as trouble:
        with pytest.raises(LetterRenderFailed, match=re.escape(str(trouble))):
            letter.write(person)
        return str(trouble)
    return letter.write(person)


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(
    text=campaign_files(plain(DYNAMIC_TEXTS)),
    values=st.fixed_dictionaries(
        {key: st.text("abcXYZ019", min_size=1, max_size=9) for key in ("name", "language", "city", "größe")}
    ),
)
def test_a_letter_reads_as_if_the_organiser_had_written_it_to_this_person_alone(
    list_identity, templates, rosa, text, values
):
    read(text)
    by_hand = re.sub(r'\{\{ (name|language|city|größe) or "[^"]*" \}\}', lambda match: values[match[1]], text)
    parts = (list_identity, templates, "en", 42)

    ours = written(compile_dynamic_letter(read(text), *parts), knowing(rosa, values))
    theirs = written(compile_dynamic_letter(read(by_hand), *parts), knowing(rosa, values))

    assume(isinstance(ours, Letter) and isinstance(theirs, Letter))
    for part in ("text", "html"):
        assert words_of(decode_part(ours, part)) == words_of(decode_part(theirs, part))


def words_of(part: str) -> list[str]:
    """What is read, wherever its lines are broken and underlined."""
    return [word for word in unescape(part).split() if word.strip("=->")]
