"""Ghost's members."""

from __future__ import annotations

import json

import pytest

from tests.support.recognized_exports import read_people, read_rows, standing
from tests.support.service_exports import GHOST


def test_subscriptions_and_fields() -> None:
    people = read_people({"members.2026-11-20.csv": GHOST})

    assert {address.partition("@")[0]: standing(person) for address, person in people.items()} == {
        "ida": "confirmed",
        "left": "unsubscribed",
        "blank": "unsubscribed",
        "gone": "unsubscribed",
    }
    ida = people["ida@example.org"]
    assert (ida.name, ida.attributes) == ("Ida Moss", {"labels": "Orchard, Plums", "tiers": "Gold"})
    assert ida.agreed_at is not None
    assert ida.agreed_at.isoformat() == "2024-02-01T08:00:00+00:00"
    assert ida.evidence["note"] == "met, once"
    gone = people["gone@example.org"].changed_at
    assert gone is not None
    assert gone.isoformat() == "2024-03-01T08:00:00+00:00"


@pytest.mark.parametrize(
    "heading",
    [
        "email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,labels",
        "id,email,name,note,subscribed_to_emails,complimentary_plan,created_at,deleted_at,labels,products",
        "id,email,name,note,subscribed_to_emails,created_at,deleted_at,labels,tiers,gift_id,custom_fields.plot",
    ],
)
def test_columns_of_older_and_newer_versions(heading: str) -> None:
    columns = heading.split(",")
    cells = {"email": "ida@example.org", "subscribed_to_emails": "TRUE", "labels": "Orchard", "custom_fields.plot": "7"}

    ida = read_people({"members.csv": f"{heading}\n{','.join(cells.get(one, '') for one in columns)}\n"})

    expected = {"labels": "Orchard"} | ({"plot": "7"} if "custom_fields.plot" in columns else {})
    assert (standing(ida["ida@example.org"]), ida["ida@example.org"].attributes) == ("confirmed", expected)


@pytest.mark.parametrize("word", ["sometimes", "maybe", "subscribed"])
def test_a_word_that_is_not_known_is_a_bad_row(word: str) -> None:
    people, bad = read_rows({"members.csv": GHOST.replace('once",true', f'once",{word}')})

    assert "ida@example.org" not in people
    assert len(bad) == 1


def test_a_row_that_ends_before_the_subscription_is_a_bad_row() -> None:
    people, bad = read_rows({"members.csv": GHOST + "5,cut@example.org,Cut"})

    assert "cut@example.org" not in people
    assert len(bad) == 1


def test_who_bounced_is_kept_out() -> None:
    table = "email,subscribed_to_emails,email_disabled\nida@example.org,true,true\nbo@example.org,true,false\n"

    people = read_people({"members.csv": table})

    assert [standing(one) for one in people.values()] == ["confirmed bounced", "confirmed"]


def test_members_of_the_admin_api() -> None:
    def member(who: str, newsletters: list[object], **fields: object) -> dict[str, object]:
        return {"uuid": "u", "email": f"{who}@example.org", "name": "", "newsletters": newsletters, **fields}

    weekly = [{"id": "1", "name": "Weekly"}]
    members = [
        member("ida", weekly, labels=[{"name": "Orchard"}], created_at="2024-02-01T08:00:00.000Z"),
        member("left", []),
        member("dead", weekly, email_suppression={"suppressed": True, "info": {"reason": "fail"}}),
        member("angry", weekly, email_suppression={"suppressed": True, "info": {"reason": "spam"}}),
        member("fine", weekly, email_suppression={"suppressed": False, "info": None}),
    ]

    people = read_people({"members.json": json.dumps({"members": members, "meta": {}})})

    assert {address.partition("@")[0]: standing(person) for address, person in people.items()} == {
        "ida": "confirmed",
        "left": "unsubscribed",
        "dead": "confirmed bounced",
        "angry": "unsubscribed complained everywhere",
        "fine": "confirmed",
    }
    assert people["ida@example.org"].attributes == {"labels": "Orchard"}
