"""The campaign file: what is parsed, and how mistakes are refused."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.compose.campaign_file_fields import CallToAction, ContentSource
from mailer.mail.compose.merge_field import MergeField

FULL = """---
subject: '{{ name or "Friend" }}, come to the harvest forum'
title: The harvest forum
lead: For everybody in {{ city or "your town" }}.
language: de
event:
  name: Harvest forum
  place: The old mill
  starts: 2026-12-04 19:00
  zone: Europe/Berlin
action: {label: Count me in, url: 'https://forum.example.org/join?who={{ name or "" }}'}
closing: Ada
source: {text: Yearly report, url: https://forum.example.org/report}
tags: [harvest, 2026]
---
Dear {{ name or "friend" }}
"""


def campaign_file(front: str = "subject: Tea", body: str = "Hello") -> str:
    return f"---\n{front}\n---\n{body}\n"


def test_a_full_campaign_file_is_parsed_key_by_key():
    read = parse_campaign_file(FULL, "en")

    assert read.subject == '{{ name or "Friend" }}, come to the harvest forum'
    assert read.title == "The harvest forum"
    assert read.lead == read.preheader == 'For everybody in {{ city or "your town" }}.'
    assert (read.language, read.template, read.closing) == ("de", "appeal", "Ada")
    assert read.event is not None
    assert read.event.starts_at == datetime(2026, 12, 4, 19, tzinfo=ZoneInfo("Europe/Berlin"))
    assert (read.event.name, read.event.place, read.event.zone) == ("Harvest forum", "The old mill", "Europe/Berlin")
    assert read.action == CallToAction(label="Count me in", url='https://forum.example.org/join?who={{ name or "" }}')
    assert read.source == ContentSource(text="Yearly report", url="https://forum.example.org/report")
    assert read.tags == ("harvest", "2026")
    assert read.body == 'Dear {{ name or "friend" }}\n'


def test_left_out_keys_default_to_the_subject_and_the_list():
    read = parse_campaign_file(campaign_file(), "tr")

    assert (read.title, read.preheader, read.language, read.template) == ("Tea", "", "tr", "appeal")
    assert (read.event, read.action, read.source, read.tags, read.merge_fields) == (None, None, None, (), ())


def test_merge_field_names_are_collected_from_every_text():
    read = parse_campaign_file(FULL, "en")

    assert read.merge_field_names == {"name", "city"}
    assert MergeField("city", "your town") in read.merge_fields


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm():
    plain, windows = campaign_file(), "\ufeff" + campaign_file().replace("\n", "\r\n")

    assert parse_campaign_file(windows, "en") == parse_campaign_file(plain, "en")


def test_texts_that_look_like_yaml_numbers_or_booleans_stay_texts():
    read = parse_campaign_file(campaign_file("subject: 2026\ntitle: Yes\nlead: 1.10\nclosing: 2026-01-01"), "en")

    assert (read.subject, read.title, read.lead, read.closing) == ("2026", "Yes", "1.10", "2026-01-01")


@pytest.mark.parametrize(
    ("front", "line", "words"),
    [
        ("subject: Tea\nsujbect: Tea", 3, "did you mean 'subject'"),
        ("subject: Tea\nflavour: mint", 3, "no key 'flavour'; the keys are subject"),
        ("subject: Tea\nlead: x\nsubject: Tea", 4, "second time"),
        ("title: Tea", 1, "subject is missing"),
        ("", 1, "subject is missing"),
        ("- subject", 2, "must hold the keys"),
        ("subject: [a]", 2, "must be text"),
        ("subject: |\n  one\n  two", 2, "single line"),
        ("subject: " + "x" * 151, 2, "151 characters"),
        ("subject: '{{ name or \"\" }}'", 2, "would be empty"),
        ("lead: x\nsubject: a: b", 3, "colon in 'single quotes'"),
        ('subject: "{{ name or "x" }}"', 2, "merge field in 'single quotes'"),
        ("subject: " + "[" * 500, 2, "not YAML"),
        ("subject: Tea\ntags: tea", 3, "must be a list"),
        ("subject: Tea\ntags:\n  - [a]", 4, "must be text"),
        ("subject: Tea\ntags: ['{{ city or \"\" }}']", 3, "cannot have merge fields"),
        ("subject: Tea\nlanguage: klingonisch!", 3, "language tag"),
        ("subject: Tea\ntemplate: ../secret", 3, "name of a template"),
        ("subject: Tea\naction: {label: Go}", 3, "needs url"),
        ("subject: Tea\naction:\n  label: Go\n  url: http://example.org", 5, "must begin with https://"),
        ("subject: Tea\naction:\n  label: Go\n  url: '{{ link or \"https://example.org\" }}'", 5, "must begin with"),
        ("subject: Tea\nsource: {text: a, url: 'https://192.0.2.1/'}", 3, "not an IP address"),
        ("subject: Tea\nlead: |\n  one\n  two {{ city }}", 5, 'write {{ city or "..." }}'),
        ("subject: Tea\nlead: |\n  one\n  two {% fi city %}", 5, "unknown tag 'fi'"),
        ("subject: Tea\ntags: ['{{ city|upper }}']", 3, "cannot have merge fields"),
        ('subject: "Tea\\x07"', 2, "U+0007"),
    ],
)
def test_a_mistake_in_the_front_matter_is_refused_with_its_line(front, line, words):
    with pytest.raises(CampaignFileRefused, match="line") as refused:
        parse_campaign_file(campaign_file(front), "en")

    assert (refused.value.line, words in refused.value.reason) == (line, True), refused.value


@pytest.mark.parametrize(
    ("starts", "zone", "line", "words"),
    [
        ("2026-03-29T02:30", "Europe/Berlin", 5, "the clock skips it"),
        ("4 December", "Europe/Berlin", 5, "not a date and time"),
        ("2026-02-30", "Europe/Berlin", 5, "not a date and time"),
        ("0001-01-01", "Asia/Tokyo", 5, "beyond the calendar"),
        ("9999-12-31", "Europe/Berlin", 5, "beyond the calendar"),
        ("2027-05-08\n  ends: 2027-05-08T19:00", "Europe/Berlin", 6, "an hour, or neither"),
        ("2027-05-08\n  ends: 19:00", "Europe/Berlin", 6, "not a date and time"),
        ("2027-05-08\n  ends: 2027-05-07", "Europe/Berlin", 6, "not after its start"),
        ("2027-05-08T19:00\n  ends: 2027-05-09", "Europe/Berlin", 6, "an hour, or neither"),
        ("2027-05-08T19:00\n  ends: 19:00", "Europe/Berlin", 6, "not after its start"),
        ("2027-05-08T19:00\n  ends: 1:00", "Europe/Berlin", 6, "give that, too"),
        ("2027-05-08T19:00\n  ends: 25:00", "Europe/Berlin", 6, "not a date and time"),
        ("2026-12-04T19:00+01:00", "Europe/Berlin", 5, "carries an offset"),
        ("0001-01-01T00:00", "Asia/Tokyo", 5, "beyond the calendar"),
        ("2026-12-04T19:00", "Berlin", 6, "not a time zone"),
    ],
)
def test_an_hour_that_no_clock_shows_is_refused(starts, zone, line, words):
    front = f"subject: Tea\nevent:\n  name: Tea\n  starts: {starts}\n  zone: {zone}\n  place: Mill"

    with pytest.raises(CampaignFileRefused) as refused:
        parse_campaign_file(campaign_file(front), "en")

    assert (refused.value.line, words in refused.value.reason) == (line, True), refused.value


@pytest.mark.parametrize(
    ("event", "starts", "ends", "until"),
    [
        ("starts: 2027-05-08, zone: Europe/Berlin", "2027-05-08T00:00+02:00", None, "2027-05-09T00:00+02:00"),
        (
            "starts: 2027-05-08, ends: 2027-05-10, zone: Asia/Tokyo",
            "2027-05-08T00:00+09:00",
            "2027-05-10T00:00+09:00",
            "2027-05-09T00:00+09:00",
        ),
        # The clock skips the next midnight: the day ends when it does so.
        ("starts: 2027-04-29, zone: Africa/Cairo", "2027-04-29T00:00+02:00", None, "2027-04-30T01:00+03:00"),
        (
            "starts: 2027-05-08T19:00, ends: '21:30', zone: UTC",
            "2027-05-08T19:00+00:00",
            "2027-05-08T21:30+00:00",
            "2027-05-08T19:00+00:00",
        ),
        (
            "starts: 2027-05-08T19:00, ends: 2027-05-09T01:00, zone: UTC",
            "2027-05-08T19:00+00:00",
            "2027-05-09T01:00+00:00",
            "2027-05-08T19:00+00:00",
        ),
    ],
)
def test_an_event_has_an_hour_or_a_day_and_an_end_where_one_is_given(event, starts, ends, until):
    read = parse_campaign_file(campaign_file(f"subject: Tea\nevent: {{name: Tea, {event}}}"), "en").event

    assert read is not None
    assert read.starts_at == datetime.fromisoformat(starts)
    assert read.ends_at == (datetime.fromisoformat(ends) if ends else None)
    assert read.invitation_deadline.astimezone(UTC) == datetime.fromisoformat(until)
    assert (read.all_day, read.place) == ("T19" not in event, "")


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        (" \n", 4, "no text"),
        ("one\n\n{{ name }}", 6, 'write {{ name or "there" }}'),
        ("one\n{% if name %}", 5, "looking for the following tags: 'elif' or 'else' or 'endif'"),
        ("{% if name %}\n\n{{ name|uper }}{% endif %}", 6, "no filter 'uper'"),
        ("one {{ name|upper }} {{ name }}", 4, 'write {{ name or "there" }}'),
        ("one {{ name|upper }} }}", 4, "}} is not plain text"),
        ("one }} two", 4, "}} is not plain text"),
        ("one {{ name or “friend” }}", 4, "a merge field looks like"),
        ("one\x00", 4, "U+0000"),
        ("one\n\x1b[2J", 5, "U+001B"),
        ("one\ntwo [x](http://example.org)", 5, "'http://example.org' must begin with https://"),
        ("one\n\n- a\n- ![x](/a.png)", 7, "'/a.png' must begin with"),
        ("[x](javascript:alert%281%29)", 4, "must begin with"),
        ("[x][1]\n\n[1]: data:text/html,x", 4, "must begin with"),
        ("<https://192.0.2.1/x>", 4, "not an IP address"),
    ],
)
def test_a_mistake_in_the_body_is_refused_with_its_line(body, line, words):
    with pytest.raises(CampaignFileRefused) as refused:
        parse_campaign_file(campaign_file(body=body), "en")

    assert (refused.value.line, words in refused.value.reason) == (line, True), refused.value


@pytest.mark.parametrize("text", ["", "Hello", "---\nsubject: Tea\n", "--- \nsubject: Tea\nHello"])
def test_front_matter_must_be_opened_and_closed(text):
    with pytest.raises(CampaignFileRefused, match="---"):
        parse_campaign_file(text, "en")


def test_a_campaign_file_too_long_for_a_letter_is_refused():
    with pytest.raises(CampaignFileRefused, match="too many"):
        parse_campaign_file(campaign_file(body="word " * 20_001), "en")


@given(st.text(alphabet="-:{}[]&*!|>'\"%@`#, \n\taé{{}}name or", max_size=80), st.text(max_size=80))
def test_any_text_is_parsed_or_refused_and_never_crashes_the_parser(front, body):
    try:
        read = parse_campaign_file(f"---\nsubject: Tea\n{front}\n---\n{body}", "en")
    except CampaignFileRefused:
        return

    assert read.subject.startswith("Tea")
