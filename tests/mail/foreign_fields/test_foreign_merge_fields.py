"""What other services write for a reader's value is found, and our form for that very value is named."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.compose.find_problems import find_problems
from mailer.mail.compose.problem import ProblemSeverity, Rule
from mailer.mail.compose.writing_faults import refuse_writing_faults
from mailer.mail.foreign_fields.foreign_merge_fields import find_foreign_fields, mask_foreign_fields

NAME, CITY = '{{ name or "there" }}', '{{ city or "..." }}'
VALUES = {
    # listmonk
    "{{ .Subscriber.Name }}": NAME,
    "{{ .Subscriber.FirstName }}": NAME,
    "{{.Subscriber.Attribs.city}}": CITY,
    # Mailchimp
    "*|FNAME|*": NAME,
    "*|CITY|*": CITY,
    # Brevo, Keila, HubSpot
    "{{ contact.FIRSTNAME }}": NAME,
    "{{ contact.first_name }}": NAME,
    '{{ contact.data.city | default: "your town" }}': '{{ city or "your town" }}',
    "{{ contact.data.city|default('town') }}": '{{ city or "town" }}',
    "{{ personalization_token('contact.firstname', 'friend') }}": '{{ name or "friend" }}',
    # Buttondown, Kit, Klaviyo
    "{{ subscriber.name }}": NAME,
    '{{ subscriber.city or "x" }}': '{{ city or "x" }}',
    "{{ subscriber.metadata.first_name }}": NAME,
    "{{ first_name | default:'friend' }}": '{{ name or "friend" }}',
    # Handlebars, Mailgun, Salesforce, ActiveCampaign
    "{{{ first_name }}}": NAME,
    "%recipient.name%": NAME,
    "%recipient_name%": NAME,
    "%recipient.city%": CITY,
    "%%name%%": NAME,
    "%%First Name%%": NAME,
    "%FIRSTNAME%": NAME,
    # phpList, Sendy, Campaign Monitor, MailPoet
    "[NAME]": NAME,
    "[FIRST NAME]": NAME,
    "[NAME%%friend]": '{{ name or "friend" }}',
    "[Name,fallback=friend]": '{{ name or "friend" }}',
    "[subscriber:firstname | default:reader]": '{{ name or "reader" }}',
    '[[FIRSTNAME OR "you"]]': '{{ name or "you" }}',
    # MailerLite, CiviCRM, Ghost, Salesforce, Sympa, Mailman, ERB
    "{$name}": NAME,
    "${name}": NAME,
    "{contact.first_name}": NAME,
    '{first_name, "friend"}': '{{ name or "friend" }}',
    "{!Contact.FirstName}": NAME,
    "[% user.city %]": CITY,
    "%(city)s": CITY,
    "<%= name %>": NAME,
    "{{ subscriber.lang }}": '{{ language or "..." }}',
    "*|LNAME|*": '{{ last_name or "..." }}',
}
CONDITIONS = {
    "*|IF:CITY|*": "{% if city %}",
    "*|IFNOT:FNAME|*": "{% if not name %}",
    "*|IF:LANG=de|*": '{% if language == "de" %}',
    "*|ELSEIF:CITY!=Bonn|*": '{% elif city != "Bonn" %}',
    "*|ELSE:|*": "{% else %}",
    "*|END:IF|*": "{% endif %}",
    "{{ if .Subscriber.Attribs.city }}": "{% if city %}",
    '{{ if eq .Subscriber.Attribs.city "Köln" }}': '{% if city == "Köln" %}',
    "{{ else if .Subscriber.Name }}": "{% elif name %}",
    "{{else}}": "{% else %}",
    "{{ end }}": "{% endif %}",
    "{{#if city}}": "{% if city %}",
    "{{/if}}": "{% endif %}",
    "{% if contact.first_name %}": "{% if name %}",
    '{% elsif contact.city == "a.b" %}': '{% elif city == "a.b" %}',
    "{% unless city %}": "{% if not city %}",
}
NEEDLESS = {
    "*|UNSUB|*": "own link to leave",
    "{{ UnsubscribeURL }}": "own link to leave",
    "{{ unsubscribe_url }}": "own link to leave",
    "{% unsubscribe %}": "own link to leave",
    "%unsubscribe_url%": "own link to leave",
    "[UNSUBSCRIBE]": "own link to leave",
    "<unsubscribe>": "own link to leave",
    "[link:subscription_unsubscribe_url]": "own link to leave",
    "*|EMAIL|*": "does not say its reader's address",
    "{{ contact.email }}": "does not say its reader's address",
    "*|ARCHIVE|*": "in the browser",
    '{{ TrackLink "https://example.org" . }}': "not tracked",
}
OURS = [
    '{{ name or "there" }}',
    "{% if city %}a{% elif name %}b{% else %}c{% endif %}",
    '{% if city.startswith("a.b") %}',
    "{% if segment.izmir %}",
    "{% for x in seeds.split(',') %}{{ loop.index }}{% endfor %}",
    '{{ city|default("x") }} {{ seeds.split(",")|first }} {{ "a.b" ~ city }} {{ 1234.5|number }}',
]
PLAIN = [
    "100% and 50%-60%, %20AB%, price $5, ${5}",
    "[a](https://b.example.org) ![NAME](https://b.example.org) [READ MORE](https://b.example.org) [RSVP]",
    "[NAME][1]\n\n[NAME]: https://example.org",
    "{curly} {x, y} {.button} [^1] [[ TK ]] *|* <https://example.org>",
    "`*|FNAME|*` ``[NAME]``\n\n```\n%recipient.name%\n```",
]


@pytest.mark.parametrize(("written", "ours"), [*VALUES.items(), *CONDITIONS.items()])
def test_our_form_for_that_very_value_is_named(written: str, ours: str) -> None:
    [found] = find_foreign_fields(f"Dear reader,\nhello {written}!\n")

    assert (found.line, found.is_sure) == (2, True)
    assert found.message == f"{written} is how another service writes it: write {ours}"


@pytest.mark.parametrize(("written", "says"), NEEDLESS.items())
def test_what_a_letter_has_by_itself_is_to_be_left_out(written: str, says: str) -> None:
    [found] = find_foreign_fields(written)

    assert found.is_sure
    assert says in found.message


@pytest.mark.parametrize("word", ["{name}", "{first_name}", "{FIRSTNAME}"])
def test_what_may_be_plain_text_is_a_doubt(word: str) -> None:
    [found] = find_foreign_fields(word)
    [problem] = find_problems(f"---\nsubject: Hi\n---\nDear {word}", "en", lambda _: frozenset())

    assert not found.is_sure
    assert (problem.severity, problem.rule, problem.line) == (ProblemSeverity.WARNING, Rule.FOREIGN_FIELD, 4)
    refuse_writing_faults(f"---\nsubject: Hi\n---\nDear {word}")


@pytest.mark.parametrize("text", [*OURS, *PLAIN])
def test_our_own_forms_and_plain_text_are_left_alone(text: str) -> None:
    assert find_foreign_fields(text) == []


@pytest.mark.parametrize("written", [*VALUES, *CONDITIONS, *NEEDLESS])
@pytest.mark.parametrize("place", ["body", "subject"])
def test_a_text_with_one_is_refused_once_with_its_line_and_nothing_else(written: str, place: str) -> None:
    front = f"---\nsubject: Come {written if place == 'subject' else ''}\ntags: [a]\n---\n"
    text = f"{front}Dear all,\n\n{written if place == 'body' else 'come'}\n"
    line = 2 if place == "subject" else 7

    with pytest.raises(CampaignFileRefused, match="how another service writes it") as refused:
        refuse_writing_faults(text)
    [problem] = find_problems(text, "en", lambda _: frozenset())

    assert refused.value.line == line
    assert (problem.line, problem.field, problem.severity) == (line, place, ProblemSeverity.ERROR)


def test_what_stands_in_braces_is_named_also_where_a_letter_is_only_parsed() -> None:
    with pytest.raises(CampaignFileRefused, match="another service") as refused:
        parse_campaign_file("---\nsubject: Hi\n---\n\nDear {{ .Subscriber.Name }}", "en")

    assert refused.value.line == 5


def test_one_in_a_link_and_in_a_field_of_several_lines_is_found_with_its_line() -> None:
    text = "---\nsubject: Hi\nlead: |\n  a\n  *|CITY|*\n---\n[x](https://example.org/?c=*|CITY|*)\n"

    found = find_problems(text, "en", lambda _: frozenset())

    assert [(one.line, one.field) for one in found] == [(5, "lead"), (7, "body")]


@given(st.lists(st.sampled_from([*VALUES, *CONDITIONS, *NEEDLESS, *OURS, *PLAIN, "\n", " "]), max_size=9).map("".join))
def test_masking_keeps_every_line_and_leaves_nothing_of_another_service(text: str) -> None:
    masked = mask_foreign_fields(text)

    assert len(masked) == len(text)
    assert masked.count("\n") == text.count("\n")


@pytest.mark.parametrize("hostile", ["[NAME]", "*|A", "{{ a.b | ", "`", '{{ a.b |x"', "%%a", "```\n", "{% if a.b "])
def test_a_hostile_text_takes_no_time(hostile: str) -> None:
    started = time.process_time()

    find_foreign_fields(hostile * (100_000 // len(hostile)))

    assert time.process_time() - started < 3
