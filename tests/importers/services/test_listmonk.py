"""listmonk's subscribers: the state of one list, the account's status, bounces, and tables without states."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.domain.subscription import SubscriptionState
from mailer.errors import TableRefused
from mailer.importers.export_format import ReadOptions
from mailer.importers.person_row import EvidenceGrade
from tests.support.export_files import is_mailable
from tests.support.recognized_exports import read_export, read_people, read_rows, standing
from tests.support.service_exports import LISTMONK_TABLE, listmonk_page, listmonk_subscriber

HARVEST = ReadOptions(source_list="harvest")


def bounce(kind: str, email: str) -> dict[str, object]:
    return {"id": 1, "type": kind, "source": "api", "created_at": "2024-05-01T08:00:00Z", "email": email} | {
        "subscriber_uuid": "u",
        "subscriber_id": 1,
        "campaign": {"id": 2},
    }


def test_the_state_is_that_of_the_chosen_list() -> None:
    page = listmonk_page(
        listmonk_subscriber("in@example.org", Harvest="confirmed", News="unsubscribed"),
        listmonk_subscriber("out@example.org", Harvest="unsubscribed", News="confirmed"),
        listmonk_subscriber("asked@example.org", Harvest="unconfirmed", News="confirmed"),
        listmonk_subscriber("other@example.org", News="confirmed"),
        listmonk_subscriber("blocked@example.org", "blocklisted", Harvest="unsubscribed"),
        listmonk_subscriber("elsewhere@example.org", "blocklisted", News="unsubscribed"),
        listmonk_subscriber("off@example.org", "disabled", Harvest="confirmed"),
    )

    people = read_people({"page-1.json": page}, HARVEST)

    assert {address.partition("@")[0]: standing(person) for address, person in people.items()} == {
        "in": "confirmed",
        "out": "unsubscribed",
        "asked": "pending",
        "blocked": "unsubscribed left everywhere",
        "elsewhere": "unsubscribed left everywhere",
        "off": "confirmed paused",
    }
    assert people["off@example.org"].evidence["by"] == "owner"
    ida = people["in@example.org"]
    assert (ida.name, ida.language) == ("Ida Moss", "de")
    assert ida.attributes == {"plot": "7", "likes": "plums, pears", "home_town": "Ely", "lang": "de"}
    assert (ida.agreed_at and ida.agreed_at.isoformat(), ida.evidence_grade) == (
        "2024-02-02T07:00:00+00:00",
        EvidenceGrade.STRONG,
    )
    assert ida.evidence["optin_ip"] == "192.0.2.9"
    assert ida.source_token == "uuid-in@example.org"
    left = people["out@example.org"].changed_at
    assert left is not None
    assert left.isoformat() == "2024-02-02T07:00:00+00:00"


@pytest.mark.parametrize("wanted", [None, "Orchard"])
def test_of_several_lists_one_must_be_named(wanted: str | None) -> None:
    page = listmonk_page(listmonk_subscriber("in@example.org", Harvest="confirmed", News="confirmed"))

    with pytest.raises(TableRefused, match="Harvest, News; say the name"):
        read_export({"page.json": page}, ReadOptions(source_list=wanted))


@pytest.mark.parametrize(("given_state", "expected"), [(None, "pending"), (SubscriptionState.CONFIRMED, "confirmed")])
def test_single_opt_in_leaves_people_unconfirmed(given_state: SubscriptionState | None, expected: str) -> None:
    page = listmonk_page(listmonk_subscriber("in@example.org", **{"Single opt-in": "unconfirmed"}))
    options = ReadOptions(state=given_state)

    assert standing(read_people({"page.json": page}, options)["in@example.org"]) == expected
    assert any("single opt-in" in guess for guess in read_export({"page.json": page}, options).guessed) == (
        given_state is None
    )


def test_double_opt_in_is_not_skipped_by_the_organisers_word() -> None:
    page = listmonk_page(listmonk_subscriber("in@example.org", Harvest="unconfirmed"))

    people = read_people({"page.json": page}, ReadOptions(state=SubscriptionState.CONFIRMED))

    assert standing(people["in@example.org"]) == "pending"


def test_bounces_beside_the_subscribers_count() -> None:
    people = read_people(
        {
            "bounces.json": listmonk_page(
                bounce("hard", "dead@example.org"),
                bounce("complaint", "angry@example.org"),
                bounce("soft", "soft@example.org"),
                bounce("hard", "blocked@example.org"),
            ),
            "subscribers.json": listmonk_page(
                *(listmonk_subscriber(f"{who}@example.org", Harvest="confirmed") for who in ("dead", "angry", "soft")),
                listmonk_subscriber("blocked@example.org", "blocklisted", Harvest="unsubscribed"),
            ),
        },
        HARVEST,
    )

    assert {address.partition("@")[0]: standing(person) for address, person in people.items()} == {
        "dead": "confirmed bounced",
        "angry": "unsubscribed complained everywhere",
        "soft": "confirmed",
        "blocked": "unsubscribed left everywhere bounced",
    }


@pytest.mark.parametrize(
    ("status", "state"), [("nobbled", "confirmed"), ("", "confirmed"), ("enabled", "perhaps"), ("enabled", "")]
)
def test_words_that_are_not_known_are_bad_rows(status: str, state: str) -> None:
    people, bad = read_rows({"page.json": listmonk_page(listmonk_subscriber("in@example.org", status, Harvest=state))})

    assert people == {}
    assert len(bad) == 1


def test_a_table_alone_is_refused_without_a_state() -> None:
    with pytest.raises(TableRefused, match=r"its status is the account's.*--state"):
        read_export({"subscribers.csv": LISTMONK_TABLE})

    people = read_people({"subscribers.csv": LISTMONK_TABLE}, ReadOptions(state=SubscriptionState.CONFIRMED))

    assert {address.partition("@")[0]: standing(person) for address, person in people.items()} == {
        "ida": "confirmed",
        "blocked": "unsubscribed left everywhere",
        "off": "confirmed paused",
    }
    ida = people["ida@example.org"]
    assert ida.agreed_at is not None
    assert ida.agreed_at.isoformat() == "2024-02-01T06:00:00.123456+00:00"


def test_tables_by_status_say_the_state_by_their_names() -> None:
    heading, *rows = LISTMONK_TABLE.splitlines(keepends=True)
    files = {
        "harvest-confirmed.csv": heading + rows[0],
        "harvest-unconfirmed.csv": heading + rows[0].replace("ida@", "asked@"),
        "harvest-unsubscribed.csv": heading + rows[0].replace("ida@", "left@"),
        "subscribers.csv": LISTMONK_TABLE.replace("ida@", "somebody@"),
    }

    people = read_people(files)

    assert {address.partition("@")[0]: standing(person) for address, person in people.items()} == {
        "ida": "confirmed",
        "asked": "pending",
        "left": "unsubscribed",
        "blocked": "unsubscribed left everywhere",
    }


def test_beside_the_api_a_table_adds_the_blocklist_alone() -> None:
    page = listmonk_page(listmonk_subscriber("ida@example.org", Harvest="unsubscribed"))

    people = read_people({"page.json": page, "subscribers.csv": LISTMONK_TABLE})

    assert standing(people["ida@example.org"]) == "unsubscribed"
    assert not any(map(is_mailable, people.values()))


STATUSES = st.sampled_from(["enabled", "disabled", "blocklisted"])
STATES = st.sampled_from(["confirmed", "unconfirmed", "unsubscribed"])


@settings(max_examples=30)
@given(st.lists(st.tuples(STATUSES, STATES), max_size=6))
def test_only_who_is_enabled_and_confirmed_is_mailable(accounts: list[tuple[str, str]]) -> None:
    records = [
        listmonk_subscriber(f"p{at}@example.org", status, Harvest=state) for at, (status, state) in enumerate(accounts)
    ]
    pages = {"1.json": listmonk_page(*records), "2.json": json.dumps({"data": {"results": records}})}

    people = read_people(pages, HARVEST) if records else {}

    assert {key for key, person in people.items() if is_mailable(person)} == {
        f"p{at}@example.org" for at, account in enumerate(accounts) if account == ("enabled", "confirmed")
    }
