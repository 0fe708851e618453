"""Whatever template is accepted renders every letter, within bounds, with values that cannot become markup."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.domain.event import Event
from mailer.domain.letters.letter_colors import derive_colors
from mailer.domain.letters.letter_template import LetterTemplate
from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file_fields import ContentSource
from mailer.mail.compose.event_dates import format_event_date
from mailer.mail.compose.templates import Templates
from mailer.mail.templates.expression_kinds import FILTERS
from mailer.mail.templates.markup_names import ELEMENTS
from mailer.mail.templates.prepare_template import prepare_template
from mailer.mail.templates.render_template import render_organiser_template
from mailer.mail.templates.template_values import PARTS, VALUES
from tests.support.own_templates import OWN_HTML, with_line

EVENT = Event(
    name="Harvest <forum>", place='The "barn"', starts_at=datetime(2027, 3, 5, 19, tzinfo=UTC), ends_at=None, zone="UTC"
)
_texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=30)
_letters = st.fixed_dictionaries(
    {name: _texts for name in ("subject", "title", "lead", "preheader", "closing", "list_title", "site_name")}
    | {
        "action_label": st.none() | _texts,
        "action_url": st.just("https://example.org/?a=1&b=2") | st.none(),
        "view_url": st.none() | st.just("https://example.org/view"),
        "event": st.none() | st.just(EVENT),
        "event_date": st.none() | st.just(format_event_date(EVENT, "tr")),
        "source": st.none() | st.builds(ContentSource, text=_texts, url=st.none() | st.just("https://example.org/")),
        "tags": st.lists(_texts, max_size=4).map(tuple),
        "reason": st.none() | _texts,
        "postal_address": st.lists(_texts, max_size=3).map("\n".join),
        "logo": st.none() | st.just({"url": "https://example.org/media/x.png", "width": 20, "height": 10}),
        "letter_language": st.sampled_from(["en", "ar"]),
        "letter_dir": st.sampled_from(["ltr", "rtl"]),
        "body": st.just("<p>A letter.</p>"),
    }
)


def whole(letter: dict[str, Any]) -> dict[str, Any]:
    """The letter with what every letter has."""
    return letter | {
        "language": "de",
        "dir": "ltr",
        "list_language": "en",
        "list_address": "appeals@lists.example.org",
        "leave_url": "https://lists.example.org/leave/x",
        "site_url": "https://lists.example.org",
        "colors": derive_colors(None),
    }


def template(html: str) -> LetterTemplate:
    return LetterTemplate(
        id=1, name="orchard", source=html, html=html, added_at=datetime(2027, 3, 1, tzinfo=UTC), added_by="ada"
    )


_names = st.sampled_from([*VALUES, *(f"{record}.{part}" for record, parts in PARTS.items() for part in parts), "own"])
_atoms = _names | st.sampled_from(['"word"', "'<b>'", "3", "true", "none", "''"])
_expressions = st.recursive(
    _atoms,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["or", "and", "==", "!=", "<", ">=", "in"]), inner)
        | st.builds("({} if {} else {})".format, inner, inner, inner)
        | st.builds("not ({})".format, inner)
        | st.builds("({})|{}".format, inner, st.sampled_from([*FILTERS, "safe"]))
        | st.builds("({})|{}({})".format, inner, st.sampled_from(["default", "join"]), inner)
    ),
    max_leaves=5,
)
_lines = st.one_of(
    st.builds("{{{{ {} }}}}".format, _expressions),
    st.builds('<p title="{{{{ {} }}}}">a</p>'.format, _expressions),
    st.builds('<p style="color:{{{{ {} }}}}">a</p>'.format, _expressions),
    st.builds('<a href="{{{{ {} }}}}">a</a>'.format, _expressions),
    st.builds("{{% if {} %}}{{{{ {} }}}}{{% else %}}b{{% endif %}}".format, _expressions, _expressions),
    st.builds("{{% for one in {} %}}{{{{ one }}}}{{{{ {} }}}}{{% endfor %}}".format, _names, _expressions),
    st.builds("{{% set own = {} %}}{{{{ own }}}}{{{{ {} }}}}".format, _expressions, _expressions),
)


@given(_lines, _letters)
def test_whatever_template_is_accepted_renders_any_letter(
    templates: Templates, line: str, letter: dict[str, Any]
) -> None:
    html, problems = prepare_template(with_line(line))
    if problems:
        return

    rendered = render_organiser_template(template(html), whole(letter), templates)

    assert len(rendered) < 20_000


@given(_letters)
def test_no_value_becomes_markup(templates: Templates, letter: dict[str, Any]) -> None:
    """Each value is as one that says `<script>"'`."""
    hostile = "<script>alert(1)</script>\"'>"
    texts = {name: hostile for name, value in letter.items() if isinstance(value, str) and name not in _OURS}

    rendered = render_organiser_template(
        template(OWN_HTML), whole(letter | texts | {"tags": (hostile,), "postal_address": hostile}), templates
    )

    assert "<script" not in rendered
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&gt;" in rendered


_OURS = {"action_url", "view_url", "letter_language", "letter_dir", "body"}


def test_the_random_lines_are_not_all_refused(templates: Templates) -> None:
    """Else the property above says nothing."""
    good = [
        '{{ (lead or "word") }}',
        "{% for one in tags %}{{ one }}{{ loop.index }}{% endfor %}",
        "{% set own = (tags|length) %}{{ own }}",
        '<p style="color:{{ (colors.accent if lead else colors.link) }}">a</p>',
        '<a href="{{ action_url }}">a</a>',
        "{{ not_known }}",
    ]

    refused = [bool(prepare_template(with_line(line))[1]) for line in good]

    assert refused == [False] * 5 + [True]


@pytest.mark.parametrize("language", ["en", "de", "tr", "ar", "zh", "fr", "es", "it", "pt", "ru"])
def test_our_own_phrases_are_in_the_readers_language(templates: Templates, language: str) -> None:
    letter = {
        "letter_dir": "ltr",
        "list_title": "Open Appeals",
        "site_name": "The forum",
        "event_date": format_event_date(EVENT, language),
    }
    line = "{{ words.when }}|{{ words.leave }}|{{ words.view }}|{{ words.sender }}|{{ reason }}|{{ words.questions }}"
    html, _ = prepare_template(with_line(f"<i>{line}</i>"))

    rendered = render_organiser_template(template(html), whole(letter) | {"language": language}, templates)

    said = rendered.split("<i>")[1].split("</i>")[0].split("|")
    english = [
        "When",
        "Leave this list",
        "View in browser",
        "It is sent by The forum.",
        "You get this letter because you subscribed to Open Appeals.",
        "Questions? Simply answer this letter, or write to appeals@lists.example.org.",
    ]
    assert [one == other for one, other in zip(said, english, strict=True)] == [language == "en"] * 6


def test_a_letter_that_becomes_much_too_long_is_refused_before_it_is_whole(templates: Templates) -> None:
    long = whole({"body": "<p>word</p>" * 100_000, "letter_dir": "ltr"})
    html, _ = prepare_template(OWN_HTML.replace("{{ body }}", "{{ body }}" * 4))

    with pytest.raises(CampaignFileRefused, match="with the template 'orchard' this letter is much too long"):
        render_organiser_template(template(html), long, templates)


HOSTILE = "<script>x</script>\"'--><p onclick=x>"
_pieces = st.sampled_from(
    [
        *[
            "<script>",
            "</script>",
            "<p",
            "</p>",
            ">",
            "<",
            "/",
            " onclick=",
            " title=",
            " style=",
            "<a href=",
            "'",
            '"',
            "x",
        ],
        *[
            "<!--",
            "-->",
            "--",
            "-",
            "!",
            "<!--[if mso]>",
            "<![endif]-->",
            "<!-->",
            "<style>",
            "</style>",
            "<title>",
            "]",
        ],
        *["{{ lead }}", "{# #}", "{% if lead %}", "{% endif %}", "{% raw %}", "{% endraw %}", "javascript:", "\n", " "],
        *["&", "&lt;", "<textarea>", "<plaintext>", "<svg>", "<noscript>", "<![CDATA[", "<?", "</"],
    ]
)


@settings(max_examples=400)
@given(st.lists(_pieces, min_size=1, max_size=12).map("".join))
def test_what_browsers_read_in_an_accepted_template_is_what_was_checked(templates: Templates, line: str) -> None:
    """However it is put together: html5lib reads as browsers do."""
    html, problems = prepare_template(with_line(line))
    if problems:
        return

    rendered = render_organiser_template(
        template(html), whole({"lead": HOSTILE, "letter_language": "en", "letter_dir": "ltr"}), templates
    )

    page = html5lib.parse(rendered, namespaceHTMLElements=False)
    for element in page.iter():
        if isinstance(element.tag, str):
            assert element.tag in ELEMENTS, line
            assert not any(str(name).startswith("on") for name in element.attrib), line
            assert not element.attrib.get("href", "").startswith("javascript"), line


def test_some_of_the_hostile_lines_are_accepted(templates: Templates) -> None:
    accepted = ["<p title='{{ lead }}'></p>", "<!-- x -->{{ lead }}", "<!--[if mso]>x<![endif]-->", "x{# #}</p>"]

    assert [prepare_template(with_line(line))[1] for line in accepted] == [()] * 4
