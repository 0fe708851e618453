"""What an organiser's template may hold; everything else is refused with its line, before anything is rendered."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.mail.templates.prepare_template import prepare_template
from tests.support.own_templates import LINE_IN_HTML, LINE_IN_MJML, OWN_HTML, OWN_MJML, with_line


@pytest.mark.parametrize("source", [OWN_HTML, OWN_MJML])
def test_a_whole_template_is_accepted(source: str) -> None:
    html, problems = prepare_template(source)

    assert problems == ()
    assert "{{ body }}" in html
    assert "mj-" not in html.replace("mj-column-per", "").replace("mj-outlook", "")


GROWING = {
    "{% set a = lead ~ lead %}": "concat cannot stand",
    "{{ 'x' * 1000000000 }}": "mul cannot stand",
    "{{ lead + lead }}": "add cannot stand",
    "{{ '%9999999d' % 3 }}": "mod cannot stand",
    "{{ 9 ** 9 ** 9 }}": "pow cannot stand",
    "{% for n in range(10 ** 9) %}x{% endfor %}": "call cannot stand",
    "{% for a in tags %}{% for b in tags %}x{% endfor %}{% endfor %}": "stand in another loop",
    "{% for a in tags recursive %}{{ loop(tags) }}{% endfor %}": "recursive",
    "{% for a in tags %}{{ body }}{% endfor %}": "HTML cannot stand in a loop",
    "{% for a in lead %}x{% endfor %}": "goes over a list",
    "{{ lead|replace('e', 'eeeeeeee') }}": "no filter replace",
    "{{ lead|center(9000000) }}": "no filter center",
    "{{ lead|indent(9000000) }}": "no filter indent",
    "{{ tags|join(lead) }}": "word in quotes",
    "{{ lead|join('xxxx') }}": "cannot be used so",
    "{{ body|join('xxxx') }}": "cannot be used so",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}": "macro cannot stand",
    "{% set a %}{{ lead }}{% endset %}": "assignblock cannot stand",
    "{% if lead %}{% set a = 'b' %}{% endif %}": "set cannot stand in if",
    "{{ body }}{{ body }}{{ body }}{{ body }}{{ body }}": "the most is 4",
}
ESCAPING = {
    "{{ ''.__class__.__mro__ }}": "cannot stand",
    "{{ lead.__class__ }}": "have parts",
    "{{ event.__init__ }}": "there is no event.__init__",
    "{{ event['name'] }}": "getitem cannot stand",
    "{{ lead|attr('__class__') }}": "no filter attr",
    "{{ self._TemplateReference__context }}": "have parts",
    "{{ cycler.__init__.__globals__ }}": "getattr cannot stand",
    "{{ config }}": "no value called config",
    "{{ lipsum() }}": "call cannot stand",
    "{{ words.leave.format(1) }}": "call cannot stand",
    "{% include 'letters/appeal/letter.html.j2' %}": "include cannot stand",
    "{% import 'notices/layout.html.j2' as x %}": "import cannot stand",
    "{% from '/etc/passwd' import x %}": "fromimport cannot stand",
    "{% extends '/etc/passwd' %}": "extends cannot stand",
    "{% block a %}{% endblock %}": "block cannot stand",
    "{% autoescape false %}{{ lead }}{% endautoescape %}": "cannot stand",
    "{{ lead|safe }}": "cannot be used so",
    "{{ body|e }}": "cannot be used so",
    "{% with a = 1 %}{% endwith %}": "with cannot stand",
    "{% call lead() %}{% endcall %}": "callblock cannot stand",
    "{% filter upper %}x{% endfilter %}": "filterblock cannot stand",
    "{% for loop in tags %}{% endfor %}": "is taken",
    "{% set body = lead %}": "is taken",
    "{% set a = body %}": "can only stand alone",
    "{{ body_styles }}": "can only stand in <style>",
    "{{ body_styles or lead }}": "can only stand alone",
    "<p style='{{ body_styles }}'>a</p>": "can only stand in <style>",
    "<title>{{ body_styles }}</title>": "styles cannot stand in <title>",
    "{% for a in tags %}{% else %}{{ loop.index }}{% endfor %}": "have parts",
}
WRONG = {
    "{{ lead |": "unexpected|expected token",
    "{% if lead %}": "Unexpected end of template",
    "{{ leed }}": "no value called leed",
    "{{ event.nome }}": "there is no event.nome; there are name, place, all_day",
    "{{ event }}": "cannot be written",
    "{{ tags }}": "cannot be written",
    "{{ lead if lead }}": "needs its `else`",
    "{% if lead > 3 %}{% endif %}": "only numbers",
    "{% if 3 in lead %}{% endif %}": "looks for a text",
    "{{ " + "(" * 300 + "lead" + ")" * 300 + " }}": "nested",
    "{% if lead %}" * 60 + "{% endif %}" * 60: "nested too deeply",
    "{{ " + " or ".join(["lead"] * 300) + " }}": "nested too deeply",
    "{{ lead }}" * 5000: "too many statements",
    "x" * 70_000: "too many for a template",
    "a\x07b": "control character",
}
HARMING = {
    "<script>alert(1)</script>": "<script> cannot stand",
    "<ScRiPt src='https://x.example.org/a.js'></ScRiPt>": "<script> cannot stand",
    "<iframe src='https://example.org'></iframe>": "<iframe> cannot stand",
    "<form action='https://example.org'></form>": "<form> cannot stand",
    "<input name='x'>": "<input> cannot stand",
    "<svg onload='x'></svg>": "<svg> cannot stand",
    "<math><mtext></mtext></math>": "<math> cannot stand",
    "<object data='x'></object>": "<object> cannot stand",
    "<template></template>": "<template> cannot stand",
    "<base href='https://example.org/'>": "<base> cannot stand",
    "<link rel='stylesheet' href='https://example.org/a.css'>": "<link> cannot stand",
    "<meta http-equiv='refresh' content='0'>": "http-equiv='refresh'",
    "<meta http-equiv='ref&#114;esh' content='0'>": "http-equiv=",
    "<p onclick='x'>a</p>": "onclick cannot stand",
    "<p ONCLICK=x>a</p>": "onclick cannot stand",
    "<a href='javascript:alert(1)'>a</a>": "must begin with https",
    "<a href='java&#115;cript:alert(1)'>a</a>": "must begin with https",
    "<a href=' javascript:alert(1)'>a</a>": "cannot|must begin|no link",
    "<a href='data:text/html,x'>a</a>": "must begin with https",
    "<a href='http://example.org'>a</a>": "must begin with https",
    "<a href='//example.org'>a</a>": "must begin with https",
    "<a href='https://example.org/{{ lead }}'>a</a>": "a link is a whole address",
    "<a href='{{ lead }}'>a</a>": "a link is a whole address",
    "<a href='{{ action_url or lead }}'>a</a>": "a link is a whole address",
    "<a href='mailto:{{ lead }}'>a</a>": "a link is a whole address",
    "<a {% if lead %}href{% endif %}='javascript:x'>a</a>": "cannot stand inside the tag",
    "<img src='https://example.org/pixel.gif' alt=''>": "loaded from elsewhere",
    "<img src='{{ action_url }}' alt=''>": "loaded from elsewhere",
    "<img src='{{ logo.url }}'>": "needs a text",
    "<img src='{{ logo.url }}' srcset='https://example.org/a.png 2x' alt=''>": "srcset cannot stand",
    "<td background='https://example.org/a.png'></td>": "background cannot stand",
    "<style>@import 'https://example.org/a.css';</style>": "@import cannot stand",
    "<style>@font-face { font-family: x; src: url(https://example.org/a.woff) }</style>": "@font-face cannot stand",
    "<style>p { background: url(https://example.org/a.png) }</style>": r"url\(\) cannot stand",
    "<style>p { background: u\\72l(https://example.org/a.png) }</style>": "backslash",
    "<style>p { width: expression(alert(1)) }</style>": r"expression\(\) cannot stand",
    "<style>p { color: {{ lead }} }</style>": "cannot stand in a style",
    "<style>p { color: {{ 'red;}' }} }</style>": "cannot stand in a style",
    "<style>{% if lead %}p { color: red }{% endif %}</style>": "no statement can stand in a style",
    "<style>p { color: red } </style/><script>x</script>": "<style> is not closed",
    "<style>p { --x: red }</style>": "two hyphens",
    "<p style='background:url(https://example.org)'>a</p>": r"url\(\) cannot stand",
    "<p style='background:u&#114;l(https://example.org)'>a</p>": "& cannot stand",
    "<p style='background:url&#4{{ loop_ }};x)'>a</p>": "no value called loop_",
    "<p style='background:url&#4{{ tags|length }};x)'>a</p>": "& cannot stand",
    "<p style='color:{{ lead }}'>a</p>": "cannot stand in a style",
    "<p style='{% if lead %}color:red{% endif %}'>a</p>": "no statement can stand in an attribute",
    "<p style='position:fixed'>a</p>": "position cannot stand",
    "<p class={{ lead }}>a</p>": "must stand in quotes",
    "<p {{ lead }}>a</p>": "inside a tag must stand in a value in quotes",
    "<{{ lead }}>": "begins no tag",
    "<s{% if lead %}cript{% endif %}>": "begins no tag",
    "<p on{% if lead %}click='x'{% endif %}>a</p>": "cannot stand",
    "<p title='{{ body }}'>a</p>": "body cannot stand in title",
    "<p title='<b>'>a</p>": "< and > cannot stand in title",
    "<title>{{ body }}</title>": "HTML cannot stand in <title>",
    "<title></title/><script>x</script></title>": "< cannot stand",
    "<!-- {{ lead }} -->": "must end before",
    "<!-- a --{# #}> <p onclick='x'>a</p> -->": "must end before",
    "<!--[if mso]> -{# #}-> <![endif]-->": "two hyphens",
    "<scr{# #}ipt>x</scr{# #}ipt>": "begins no tag",
    "<p on{# #}click='x'>a</p>": "cannot stand",
    "<a href{# #}='javascript:x'>a</a>": "cannot stand",
    "<a href ={# #}'javascript:x'>a</a>": "must stand in quotes",
    "<a href='java{# #}script:x'>a</a>": "a link is a whole address",
    "<p style='background:u{# #}rl(https://example.org)'>a</p>": r"url\(\) cannot stand",
    "<!{# #}-- <script>x</script> -->": "begins no tag",
    "<style>p { color: red } </sty{# #}le><script>x</script></style>": "< cannot stand in a style",
    "{% raw %}<scr{% endraw %}ipt>": "begins no tag",
    "<scr\n{{- '' -}}\nipt>": "begins no tag|inside a tag",
    "<!-- a --!><script>x</script>": "<script> cannot stand",
    "<!--> <script>x</script> -->": "<script> cannot stand|begins with",
    "<![CDATA[ x ]]>": "begins no tag",
    "<?php x ?>": "begins no tag",
    "<!--[if mso]> --> <script>x</script> <![endif]-->": "two hyphens",
    "<!--[if mso]><p title='-->'></p><![endif]-->": "< and > cannot stand",
    "<!--[if mso]><script>x</script><![endif]-->": "<script> cannot stand",
    "<!--[if mso]><v:image src='https://example.org/a.png'/><![endif]-->": "<v:image> cannot stand",
    "{% if lead %}<!--[if mso]>{% endif %}": "ends inside a tag or comment",
    "{% if lead %}<p title='{% else %}<p>{% endif %}": "ends inside a tag|no statement",
    "{% if lead %}<!--{% endif %}": "ends inside a tag or comment|no statement",
    "a < b": "begins no tag",
    "<v:rect></v:rect>": "<v:rect> cannot stand",
}


@pytest.mark.parametrize(("line", "why"), [*GROWING.items(), *ESCAPING.items(), *WRONG.items(), *HARMING.items()])
def test_what_a_template_cannot_hold_is_refused_by_name(line: str, why: str) -> None:
    html, problems = prepare_template(with_line(line))

    assert html == ""
    assert any(re.search(why, one.message) for one in problems), problems


@pytest.mark.parametrize("line", [*ESCAPING, *HARMING])
def test_a_refusal_names_the_line(line: str) -> None:
    _, problems = prepare_template(with_line(line))

    assert LINE_IN_HTML in {one.line for one in problems}


IN_MJML = {
    "<mj-text>a < b</mj-text>": "begins no tag",
    "<mj-text><p>a</mj-text>": "</mj-text> stands where <p> of line 15 is not closed",
    "<mj-txt>a</mj-txt>": "<mj-txt> cannot stand",
    "<mj-include path='/etc/passwd' />": "a template is one file",
    "<mj-font name='x' href='https://example.org/x.css' />": "load no fonts",
    "<mj-social><mj-social-element name='x' /></mj-social>": "would come from elsewhere",
    "<mj-carousel></mj-carousel>": "would come from elsewhere",
    "<mj-hero background-url='https://example.org/a.png'></mj-hero>": "mj-hero",
    "<mj-button href='javascript:alert(1)'>a</mj-button>": "must begin with https",
    "<mj-image src='https://example.org/a.png' alt='' />": "loaded from elsewhere",
    "<mj-image src='{{ logo.url }}' />": "needs a text",
    "<mj-text background-url='https://example.org'>a</mj-text>": "background-url cannot stand",
    "<mj-text color='red;background:url(https://example.org)'>a</mj-text>": "cannot stand",
    "<mj-text color='{{ lead }}'>a</mj-text>": "cannot stand in a style",
    "<mj-text font-size='{{ start }}'>a</mj-text>": "MJML calculates with it",
    "<mj-text><script>x</script></mj-text>": "<script> cannot stand",
    "<mj-raw><iframe></iframe></mj-raw>": "<iframe> cannot stand",
    "<mj-style>@import 'https://example.org/a.css';</mj-style>": "@import cannot stand",
    "<mj-text onclick='x'>a</mj-text>": "onclick cannot stand",
    "<mj-text>{{ lead|safe }}</mj-text>": "cannot be used so",
    "{% if lead %}": "Unexpected end",
    "{{ lead }}": "put it into <mj-text> or <mj-raw>",
    "words": "put it into <mj-text> or <mj-raw>",
    "</mj-section>": "is not closed yet",
    "<mj-text>": "not closed",
}


@pytest.mark.parametrize(("line", "why"), IN_MJML.items())
def test_what_mjml_would_let_through_is_refused_by_line(line: str, why: str) -> None:
    html, problems = prepare_template(with_line(line, is_mjml=True))

    assert html == ""
    assert any(why in one.message for one in problems), problems
    assert any(one.line for one in problems)


def test_a_line_of_mjml_is_named() -> None:
    _, problems = prepare_template(with_line("<mj-text onclick='x'>a</mj-text>", is_mjml=True))

    assert [one.line for one in problems] == [LINE_IN_MJML]


def test_a_template_without_a_title_or_a_language_is_refused() -> None:
    bare = OWN_HTML.replace("<title>{{ subject }}</title>", "").replace(' lang="{{ letter_language }}"', "")

    _, problems = prepare_template(bare)

    messages = [one.message for one in problems]
    assert "there is no <title> in the template" in messages
    assert '<html> needs lang="{{ letter_language }}"' in messages


def test_all_mistakes_are_told_at_once() -> None:
    _, problems = prepare_template(with_line("{{ leed }}\n<script></script>\n<a href='http://example.org'>a</a>"))

    assert [one.line for one in problems] == [LINE_IN_HTML, LINE_IN_HTML + 1, LINE_IN_HTML + 2]


@given(st.text(st.sampled_from("<>/='\"-! {}%&;abmsojx:\n") | st.characters(codec="utf-8"), max_size=60))
def test_any_text_is_accepted_or_refused_and_nothing_else(line: str) -> None:
    for is_mjml in (False, True):
        html, problems = prepare_template(with_line(line, is_mjml=is_mjml))

        assert bool(html) != bool(problems)
