"""Old addresses and links: each stands for the one of ours that does the same, and no other does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.command_address import parse_own_address
from mailer.domain.imports.legacy_list import (
    LINK_PREFIXES,
    LegacyLink,
    LegacyList,
    LegacySoftware,
    find_own_address,
    parse_link,
)

OURS = "lists.example.net"
UUID = "5f0c2a0e-1234-4c7e-9a51-0a1b2c3d4e5f"
UNIQUE_ID = "0123456789abcdef0123456789abcdef"


def moved(software: str, name: str = "talk", list_name: str = "appeals", *addresses: str) -> LegacyList:
    known = LegacySoftware(software)
    return LegacyList(
        list_name=list_name,
        software=known,
        name=name,
        addresses=addresses or ("Talk@Lists.Example.org",),
        paths=LINK_PREFIXES[known],
    )


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("talk@lists.example.org", "appeals"),
        ("TALK-Request@LISTS.example.org", "appeals-request"),
        ("talk-leave@lists.example.org", "appeals-leave"),
        ("talk-unsubscribe@lists.example.org", "appeals-unsubscribe"),
        ("talk-join@lists.example.org", "appeals-join"),
        ("talk-confirm+0a1b2c@lists.example.org", "appeals-confirm+0a1b2c"),
        ("talk+unsubscribe@lists.example.org", "appeals+unsubscribe"),
        ("talk+unsubscribe-digest@lists.example.org", "appeals+unsubscribe"),
        ("talk+subscribe-nomail@lists.example.org", "appeals+subscribe"),
        ("talk-owner@lists.example.org", "appeals-owner"),
        ("talk-admin@lists.example.org", "appeals-owner"),
        ("talk-editor@lists.example.org", "appeals-owner"),
        ("talk-bounces@lists.example.org", None),
        ("talk-bounces+rosa=example.org@lists.example.org", None),
        ("talks@lists.example.org", None),
        ("talk-walks@lists.example.org", None),
        ("talk@example.org", None),
        ("talk@sub.lists.example.org", None),
        ("lists.example.org", None),
        ("", None),
    ],
)
def test_old_addresses_stand_for_ours(theirs: str, ours: str | None) -> None:
    found = find_own_address(theirs, OURS, [moved("mailman3")])

    assert found == (f"{ours}@{OURS}" if ours else None)


@pytest.mark.parametrize("local", ["sympa", "SYMPA-request"])
def test_the_robot_of_sympa_takes_commands(local: str) -> None:
    lists = [moved("sympa", "talk", "appeals", "talk@lists.example.org", "sympa@lists.example.org")]

    assert find_own_address(f"{local}@lists.example.org", OURS, lists) == f"appeals-request@{OURS}"


@given(st.text(max_size=30), st.sampled_from(["lists.example.org", "elsewhere.example", OURS]))
def test_no_address_becomes_one_that_relays_mail(local: str, domain: str) -> None:
    found = find_own_address(f"{local}@{domain}", OURS, [moved("mailman21")])

    assert found is None or (domain == "lists.example.org" and found.endswith(f"@{OURS}"))
    if found and (ours := parse_own_address(found, OURS)):
        assert ours.startswith("appeals")
        assert not set("%!@ \t\r\n") & set(ours.rpartition("@")[0])


@pytest.mark.parametrize(
    ("software", "path", "query", "expected"),
    [
        ("mailman21", "/mailman/options/talk", {}, LegacyLink(list_name="appeals")),
        (
            "mailman21",
            "/mailman/options/talk/rosa--at--example.org",
            {},
            LegacyLink(list_name="appeals", address="rosa@example.org"),
        ),
        ("mailman21", "/cgi-bin/mailman/listinfo/Talk", {}, LegacyLink(list_name="appeals")),
        ("mailman21", "/mailman/confirm/talk/0a1b", {}, LegacyLink(list_name="appeals", is_for_joining=True)),
        ("mailman3", "/mailman3/lists/talk.lists.example.org", {}, LegacyLink(list_name="appeals")),
        ("mailman3", "/mailman3/postorius/lists/talk@lists.example.org", {}, LegacyLink(list_name="appeals")),
        ("listmonk", f"/subscription/{UUID}/{UUID.upper()}", {}, LegacyLink(list_name="appeals", token=UUID)),
        ("listmonk", "/subscription/form", {}, LegacyLink(list_name="appeals", is_for_joining=True)),
        (
            "listmonk",
            f"/subscription/optin/{UUID}",
            {},
            LegacyLink(list_name="appeals", token=UUID, is_for_joining=True),
        ),
        (
            "phplist",
            "/lists/index.php",
            {"p": "unsubscribe", "uid": UNIQUE_ID},
            LegacyLink(list_name="appeals", token=UNIQUE_ID),
        ),
        ("phplist", "/lists", {"p": "unsubscribe", "uid": "1 or 1"}, LegacyLink(list_name="appeals")),
        ("phplist", "/lists", {"p": "subscribe"}, LegacyLink(list_name="appeals", is_for_joining=True)),
        ("sympa", "/sympa/signoff/talk", {}, LegacyLink(list_name="appeals")),
        (
            "sympa",
            "/wws/auto_signoff/talk/rosa@example.org",
            {},
            LegacyLink(list_name="appeals", address="rosa@example.org"),
        ),
        ("sympa", "/sympathy", {}, None),
        ("mailman3", "/mailman", {}, None),
    ],
)
def test_old_links_say_what_they_say(
    software: str, path: str, query: dict[str, str], expected: LegacyLink | None
) -> None:
    name = "talk.lists.example.org" if software == "mailman3" else "talk"

    assert parse_link(path, query, [moved(software, name)]) == expected


def test_a_link_names_its_list_among_several() -> None:
    lists = [moved("mailman21"), moved("mailman21", "walks", "rambles", "walks@lists.example.org")]

    assert parse_link("/mailman/options/walks", {}, lists) == LegacyLink(list_name="rambles")
    assert parse_link("/mailman/options", {}, lists) == LegacyLink(list_name=None)


@given(st.lists(st.text(max_size=12)), st.dictionaries(st.text(max_size=3), st.text(max_size=40)))
def test_any_path_is_read(segments: list[str], query: dict[str, str]) -> None:
    path = "/lists/" + "/".join(segments)

    link = parse_link(path, query, [moved("phplist")])

    assert link is not None
    assert link.list_name == "appeals"
