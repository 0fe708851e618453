"""Buttondown's subscribers."""

from __future__ import annotations

import json

import pytest

from tests.support.recognized_exports import read_people, read_rows, standing
from tests.support.service_exports import buttondown_page, buttondown_subscriber

EXPECTED = {
    **dict.fromkeys(
        ("regular", "premium", "trialed", "unpaid", "gifted", "churning", "paused", "past_due"), "confirmed"
    ),
    "unactivated": "pending",
    "upcoming": "pending",
    "unsubscribed": "unsubscribed",
    "removed": "unsubscribed",
    "undeliverable": "confirmed bounced",
    "complained": "unsubscribed complained everywhere",
    "spammy": "none",
    "blocked": "none banned",
}
TABLE = "email_address,creation_date,type,notes,metadata,tags,unsubscription_date,unsubscription_reason\n"


@pytest.mark.parametrize("wrapped", [True, False])
def test_types_say_the_state(wrapped: bool) -> None:
    records = [buttondown_subscriber(kind) for kind in EXPECTED]

    people = read_people({"page-1.json": buttondown_page(*records) if wrapped else json.dumps(records)})

    assert {address.partition("@")[0]: standing(person) for address, person in people.items()} == EXPECTED
    assert people["regular@example.org"].attributes == {"first_name": "Ida", "tags": "orchard"}


def test_who_left_or_was_removed_says_when_and_why() -> None:
    left = buttondown_subscriber(
        "unsubscribed", unsubscription_date="2025-01-01T00:00:00Z", unsubscription_reason="too many plums"
    )

    people = read_people({"page.json": buttondown_page(left, buttondown_subscriber("removed"))})

    changed_at = people["unsubscribed@example.org"].changed_at
    assert changed_at is not None
    assert changed_at.isoformat() == "2025-01-01T00:00:00+00:00"
    assert people["unsubscribed@example.org"].evidence["reason"] == "too many plums"
    assert people["removed@example.org"].evidence["by"] == "owner"


@pytest.mark.parametrize("kind", ["", "active", "Regular?"])
def test_a_type_that_is_not_known_is_a_bad_row(kind: str) -> None:
    people, bad = read_rows({"page.json": buttondown_page(buttondown_subscriber(kind))})

    assert (people, len(bad)) == ({}, 1)


@pytest.mark.parametrize("column", ["email_address", "email"])
def test_a_table_of_the_export(column: str) -> None:
    rows = (
        'ida@example.org,2024-02-01T08:00:00Z,regular,,"{""plot"": 7}","[""orchard"", ""plums""]",,\n'
        'left@example.org,2024-02-01T08:00:00Z,unsubscribed,,{},"orchard, plums",2025-01-01T00:00:00Z,\n'
    )

    people = read_people({"subscribers.csv": TABLE.replace("email_address", column) + rows})

    assert [standing(one) for one in people.values()] == ["confirmed", "unsubscribed"]
    assert people["ida@example.org"].attributes == {"plot": "7", "tags": "orchard, plums"}
