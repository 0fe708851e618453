"""Brevo's contacts."""

from __future__ import annotations

import json

import pytest

from mailer.domain.subscription import SubscriptionState
from mailer.errors import TableRefused
from mailer.importers.export_format import ReadOptions
from tests.support.recognized_exports import read_export, read_people, read_rows, standing
from tests.support.service_exports import BREVO, BREVO_STATUS


def test_without_status_a_state_is_needed_and_days_come_first() -> None:
    with pytest.raises(TableRefused, match="does not say who unsubscribed"):
        read_export({"contacts.csv": BREVO})

    ida = read_people({"contacts.csv": BREVO}, ReadOptions(state=SubscriptionState.CONFIRMED))["ida@example.org"]

    assert (standing(ida), ida.name) == ("confirmed", "Ida Moss")
    assert ida.agreed_at is not None
    assert ida.agreed_at.isoformat() == "2024-03-02T00:00:00+00:00"


@pytest.mark.parametrize("given_state", [None, SubscriptionState.CONFIRMED])
def test_status_columns_say_the_state(given_state: SubscriptionState | None) -> None:
    people = read_people({"contacts.csv": BREVO_STATUS}, ReadOptions(state=given_state))

    assert {address.partition("@")[0]: standing(person) for address, person in people.items()} == {
        "ida": "confirmed",
        "left": "unsubscribed left everywhere",
        "never": "none",
        "phone": "confirmed",
    }


def test_one_list_is_chosen_by_its_number() -> None:
    people = read_people({"contacts.csv": BREVO_STATUS}, ReadOptions(source_list="12"))

    assert sorted(people) == ["ida@example.org", "phone@example.org"]


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("EMAIL_BLACKLISTED", "no", "confirmed"),
        ("EMAIL_BLACKLISTED", "1", "unsubscribed left everywhere"),
        ("EMAIL_MARKETING", "subscribed", "confirmed"),
        ("Email marketing status", "Unsubscribed", "unsubscribed"),
        ("SUBSCRIPTION_STATUS", "blocklisted", "unsubscribed left everywhere"),
        ("DOUBLE_OPT-IN", "No", "pending"),
        ("DOUBLE_OPT-IN", "Yes", "confirmed"),
    ],
)
def test_other_columns_of_status(column: str, cell: str, expected: str) -> None:
    table = f"CONTACT ID,EMAIL,{column}\n1,ida@example.org,{cell}\n"

    people = read_people({"contacts.csv": table}, ReadOptions(state=SubscriptionState.CONFIRMED))

    assert standing(people["ida@example.org"]) == expected


@pytest.mark.parametrize(("column", "cell"), [("EMAIL_BLACKLISTED", "?"), ("EMAIL_MARKETING", "on"), ("STATUS", "")])
def test_a_word_that_is_not_known_is_a_bad_row(column: str, cell: str) -> None:
    table = f"CONTACT ID,EMAIL,{column}\n1,ida@example.org,{cell}\n"

    people, bad = read_rows({"contacts.csv": table}, ReadOptions(state=SubscriptionState.CONFIRMED))

    assert (people, len(bad)) == ({}, 1)


def test_a_file_of_the_blocklisted_is_known_by_its_name() -> None:
    people = read_people({"blocklisted_contacts.csv": BREVO}, ReadOptions(state=SubscriptionState.CONFIRMED))

    assert standing(people["ida@example.org"]) == "unsubscribed"


def contact(who: str, lists: list[int], left: list[int], blacklisted: object = False) -> dict[str, object]:
    return {
        "id": 1,
        "email": f"{who}@example.org",
        "emailBlacklisted": blacklisted,
        "createdAt": "2024-02-01T08:00:00.000+02:00",
        "listIds": lists,
        "listUnsubscribed": left,
        "attributes": {"FIRSTNAME": "Ida", "LASTNAME": "Moss", "PLOT": 7},
    }


def test_contacts_of_the_api() -> None:
    contacts = [
        contact("ida", [3, 12], []),
        contact("left", [12], [3]),
        contact("other", [12], []),
        contact("blocked", [12], [], blacklisted=True),
        contact("odd", [3], [], blacklisted="perhaps"),
    ]

    people, bad = read_rows(
        {"contacts.json": json.dumps({"contacts": contacts, "count": 5})}, ReadOptions(source_list="3")
    )

    assert {address.partition("@")[0]: standing(person) for address, person in people.items()} == {
        "ida": "confirmed",
        "left": "unsubscribed",
        "blocked": "unsubscribed left everywhere",
    }
    assert len(bad) == 1
    assert (people["ida@example.org"].name, people["ida@example.org"].attributes) == ("Ida Moss", {"plot": "7"})
