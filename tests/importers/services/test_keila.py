"""Keila's contacts."""

from __future__ import annotations

import json

import pytest

from mailer.domain.subscription import SubscriptionState
from mailer.errors import TableRefused
from mailer.importers.export_format import ReadOptions
from mailer.importers.person_row import EvidenceGrade
from tests.support.recognized_exports import read_export, read_people, read_rows, standing
from tests.support.service_exports import KEILA


def test_statuses_and_fields() -> None:
    people = read_people({"contacts_np_1.csv": KEILA})

    assert {address.partition("@")[0]: standing(person) for address, person in people.items()} == {
        "ida": "confirmed",
        "left": "unsubscribed",
        "gone": "confirmed bounced",
    }
    ida = people["ida@example.org"]
    assert (ida.name, ida.attributes) == ("Ida Moss", {"plot": "7", "tags": "orchard, plums", "external_id": "f-1"})


def test_without_status_a_state_is_needed() -> None:
    older = "Email,First name,Last name,Data\r\nida@example.org,Ida,Moss,\r\n"

    with pytest.raises(TableRefused, match="say --state"):
        read_export({"contacts_np_1.csv": older})

    people = read_people({"contacts_np_1.csv": older}, ReadOptions(state=SubscriptionState.PENDING))
    assert standing(people["ida@example.org"]) == "pending"


@pytest.mark.parametrize("status", ["", "aktiv", "archived"])
def test_a_status_that_is_not_known_is_a_bad_row(status: str) -> None:
    table = KEILA.replace(",active,", f",{status},")

    people, bad = read_rows({"contacts.csv": table}, ReadOptions(state=SubscriptionState.CONFIRMED))

    assert "ida@example.org" not in people
    assert len(bad) == 1


def test_data_that_is_no_json_is_left_out_with_a_remark() -> None:
    table = KEILA.replace('"{""plot"":7', '"{""plot"":')

    ida = read_people({"contacts.csv": table})["ida@example.org"]

    assert ida.attributes == {"external_id": "f-1"}
    assert ida.remarks == ("Data is no object of JSON: left out",)


def test_contacts_of_the_api() -> None:
    contact = {
        "id": "nc_1",
        "email": "ida@example.org",
        "first_name": "Ida",
        "last_name": None,
        "data": {"plot": 7},
        "external_id": None,
        "status": "active",
        "inserted_at": "2024-02-01T08:00:00",
        "double_opt_in_at": "2024-02-01T08:05:00",
    }

    ida = read_people({"contacts.json": json.dumps({"data": [contact], "meta": {"count": 1}})})["ida@example.org"]

    assert (ida.name, ida.attributes, ida.evidence_grade) == ("Ida", {"plot": "7"}, EvidenceGrade.STRONG)
    assert ida.agreed_at is not None
    assert ida.agreed_at.isoformat() == "2024-02-01T08:05:00+00:00"
