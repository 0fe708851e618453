"""Substack's subscribers."""

from __future__ import annotations

import pytest

from mailer.domain.subscription import DeliveryMode
from mailer.importers.bad_row import BadRow
from tests.support.recognized_exports import read_people, read_rows, standing
from tests.support.service_exports import SUBSTACK, SUBSTACK_NEWER


def test_the_older_table() -> None:
    people = read_people({"email_list.harvest.csv": SUBSTACK})

    assert {address.partition("@")[0]: standing(person) for address, person in people.items()} == {
        "ida": "confirmed",
        "paid": "confirmed",
        "off": "confirmed paused",
    }
    paid = people["paid@example.org"]
    assert (paid.attributes, paid.delivery_mode) == ({"paid_until": "2027-05-01"}, DeliveryMode.DIGEST)
    assert paid.agreed_at is not None
    assert paid.agreed_at.isoformat() == "2024-02-01T08:00:00+00:00"


def test_the_newer_table_in_which_the_end_of_a_payment_is_no_leaving() -> None:
    people = read_people({"subscribers.csv": SUBSTACK_NEWER})

    assert [(standing(one), one.name) for one in people.values()] == [("confirmed", "Ida Moss"), ("confirmed", "Paul")]
    assert people["ida@example.org"].attributes == {
        "type": "Free",
        "sections": "Main",
        "country": "GB",
        "region": "Cambs",
    }


def test_who_was_erased_is_passed_over_and_named() -> None:
    erased = "u1@deletion-request.substack.com,false,,false,false,2019-01-01T00:00:00.000Z\n"

    people, bad = read_rows({"email_list.harvest.csv": SUBSTACK + erased})

    assert len(people) == 3
    assert [(one.line, "deletion-request" in one.reason) for one in bad if isinstance(one, BadRow)] == [(5, True)]


@pytest.mark.parametrize(
    "text",
    [
        SUBSTACK.replace("false,,true", "false,,perhaps"),
        SUBSTACK_NEWER.replace("Free", "Unsubscribed"),
        SUBSTACK_NEWER.replace("Sections", "Email status").replace("Main", "Disabled"),
    ],
)
def test_words_that_are_not_known_are_bad_rows(text: str) -> None:
    _, bad = read_rows({"subscribers.csv": text})

    assert len(bad) == 1
