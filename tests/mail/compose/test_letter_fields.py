"""A campaign file as fields, and back: what is not changed stays as it was written, comments too (Hypothesis)."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.compose.letter_fields import FIELD_NAMES, LetterFields, join_fields, split_fields
from tests.support.app_helpers import APPEAL

COMMENTED = """\
---
# for the board
subject: Come   # short
lead: >
  One evening
  on seeds.

# where and when
event:
  name: Harvest forum  # every year
  # the barn is heated
  place: The old barn
  starts: 2027-03-05T19:00
  zone: Europe/Berlin
tags: [harvest, "seeds, old"]
colour: green
---
Dear all,
"""
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
LINES = st.one_of(
    WORDS,
    st.text("ab #:-'\"{}[]|>&*!%@`,\n\t\\", max_size=20),
    st.sampled_from(["yes", "2026", "2027-03-05", "19:30", "~", "null", "---", "- a", '{{ name or "x" }}', "a: b #c"]),
)
CHANGES = st.dictionaries(st.sampled_from(FIELD_NAMES), LINES, max_size=6)


@st.composite
def written_files(draw: st.DrawFn) -> str:
    """Campaign files as people write them: in any order and style, with comments and blank lines between the keys."""
    event = {"name": draw(LINES) or "x", "starts": "2027-03-05T19:00", "zone": "UTC", "place": draw(LINES) or "y"}
    values: dict[str, object] = {"subject": draw(LINES), "lead": draw(LINES), "closing": draw(LINES), "event": event}
    values |= {"tags": draw(st.lists(LINES, max_size=3)), "action": {"label": draw(LINES), "url": "https://a.example"}}
    flow = draw(st.sampled_from([None, False, True]))
    lines: list[str] = []
    for key in draw(st.permutations(sorted(values))):
        dumped = yaml.safe_dump({key: values[key]}, allow_unicode=True, default_flow_style=flow, width=30)
        lines += ["# remark", ""] * draw(st.integers(0, 1))
        if flow:
            dumped = f"{key}: " + yaml.safe_dump(values[key], default_flow_style=True, width=10**6).replace("\n...", "")
        lines += dumped.rstrip("\n").split("\n")
    return "\n".join(["---", *lines, "---", draw(st.sampled_from(["", "Body\n", "\n\nTwo\n\n---\nlines"]))])


@settings(deadline=None)
@given(written_files())
def test_a_file_that_is_split_and_joined_is_the_same_to_the_octet(text: str) -> None:
    try:
        fields = split_fields(text)
    except CampaignFileRefused:  # a value of several lines can hold the line that closes the front matter
        return

    assert join_fields(text, {name: getattr(fields, name) for name in FIELD_NAMES}) == text


@settings(deadline=None)
@given(written_files(), CHANGES)
def test_changed_fields_are_read_back_as_they_were_given_and_the_others_stay(
    text: str, changes: dict[str, str]
) -> None:
    try:
        before = split_fields(text)
    except CampaignFileRefused:
        return

    after = split_fields(join_fields(text, changes))

    for name in FIELD_NAMES:
        if name not in changes:
            assert getattr(after, name) == getattr(before, name)
        elif name == "body":
            assert after.body == changes[name].replace("\r\n", "\n")
        elif name in {"tags", "attachments"}:
            items = [one.strip() for one in changes[name].split(",") if one.strip()]
            assert getattr(after, name).split(", ") == (items or [""])
        else:
            assert getattr(after, name) == changes[name].replace("\r\n", "\n").strip()


def test_a_changed_field_leaves_every_other_line_alone() -> None:
    joined = join_fields(COMMENTED, {"subject": "Come all", "event_place": "The new barn: big"})

    changed = [(a, b) for a, b in zip(COMMENTED.split("\n"), joined.split("\n"), strict=True) if a != b]
    assert changed == [
        ("subject: Come   # short", "subject: Come all  # short"),
        ("  place: The old barn", "  place: 'The new barn: big'"),
    ]


def test_a_field_of_several_lines_is_a_block_and_its_comment_stays_above_it() -> None:
    joined = join_fields("---\nsubject: Come\nlead: x  # why\n---\nHi\n", {"lead": "One\n\nTwo"})

    assert joined == "---\nsubject: Come\n# why\nlead: |-\n  One\n\n  Two\n---\nHi\n"


def test_emptied_fields_leave_no_key_but_the_subject_which_every_letter_has() -> None:
    emptied = {name: "" for name in FIELD_NAMES if name != "body"}

    joined = join_fields(APPEAL, emptied)

    assert joined.split("\n")[:3] == ["---", "subject:", "---"]
    assert split_fields(joined) == LetterFields(body=split_fields(APPEAL).body)


def test_what_a_form_wrote_can_be_parsed_as_a_letter() -> None:
    start = "---\nsubject:\nlanguage: en\n---\n\n"
    fields = split_fields(APPEAL)

    joined = join_fields(start, {name: getattr(fields, name) for name in FIELD_NAMES if name != "language"})

    written, own = parse_campaign_file(joined, "en"), parse_campaign_file(APPEAL, "en")
    assert (written.event, written.action, written.tags) == (own.event, own.action, own.tags)
    assert (written.subject, written.source, written.body) == (own.subject, own.source, own.body)


def test_a_source_is_one_line_until_it_has_a_link() -> None:
    one = join_fields("---\nsubject: Come\n---\nHi\n", {"source_text": "The bulletin"})
    both = join_fields(one, {"source_url": "https://a.example.org"})

    assert "source: The bulletin\n" in one
    assert "source:\n  text: The bulletin\n  url: https://a.example.org\n" in both


def test_unknown_keys_stay_where_they_are() -> None:
    assert "colour: green\n" in join_fields(COMMENTED, {"closing": "The board"})
    assert "colour: green\n" in join_fields("---\n{subject: a, colour: green}\n---\nx", {"subject": "b"})


def test_windows_line_ends_become_plain_ones() -> None:
    text = "---\r\nsubject: Come\r\n---\r\nDear\r\nall\r\n"

    assert join_fields(text, {"body": "One\r\ntwo"}) == "---\nsubject: Come\n---\nOne\ntwo"


@pytest.mark.parametrize(
    "text", ["", "no front matter", "---\nsubject: x", "---\n- a\n---\n", "---\n: : :\n---\n", "---\ntitle: [a]\n---\n"]
)
def test_a_front_matter_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(CampaignFileRefused):
        split_fields(text)
    with pytest.raises(CampaignFileRefused):
        join_fields(text, {"subject": "x"})


@pytest.mark.parametrize("line_end", ["\x85", "\u2028", "\r"])
def test_line_ends_that_only_yaml_counts_do_not_move_the_fields_below_them(line_end: str) -> None:
    text = f"---\nsubject: x\nlead: 'a{line_end}b'\nclosing: y\ntags: [c]\n---\nHi\n"

    assert split_fields(join_fields(text, {"tags": "d", "closing": "z"})).closing == "z"
