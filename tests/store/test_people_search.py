"""People found by how their address or name begins."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, Engine, event, text

from mailer.domain.address import parse_address
from mailer.domain.subscription import SubscriptionState
from mailer.store import mailing_lists, people_search, subscribers
from mailer.store.database import is_sqlite
from mailer.store.people_search import count_people, find_by_beginning
from tests.support.queue_helpers import add_confirmed

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
PEOPLE = (
    ("rosa@example.org", "Rosa"),
    ("rosalind@example.org", None),
    ("r_sa@example.org", "100% Rosa"),
    ("rolf@example.org", "Rolf"),
    ("emma@example.org", "Gülşah Öztürk"),
    ("layla@example.org", "ليلى"),
)


@pytest.fixture
def lists(engine: Engine) -> dict[str, int]:
    """Two lists; all people are on the first, Rosa on both."""
    with engine.begin() as tx:
        ids = {
            name: mailing_lists.add(
                tx, name=name, title=name, description="", language="en", owner="ada@example.com", now=NOW
            ).id
            for name in ("appeals", "walks")
        }
        for address, name in PEOPLE:
            _add(tx, address, name, ids["appeals"])
        _subscribe(tx, ids["walks"], subscribers.ids_by_key(tx, ["rosa@example.org"])["rosa@example.org"])
    return ids


def _add(tx: Connection, address: str, name: str | None, mailing_list_id: int) -> None:
    subscriber_id = subscribers.find_or_add(tx, parse_address(address), f"key of {address}", NOW)
    subscribers.update_details(tx, [{"subscriber_id": subscriber_id, "name": name}])
    _subscribe(tx, mailing_list_id, subscriber_id)


def _subscribe(tx: Connection, mailing_list_id: int, subscriber_id: int) -> None:
    add_confirmed(tx, mailing_list_id, {subscriber_id: {}})


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("rosa", ["rosa", "rosalind"]),
        ("rosa@example.org", ["rosa"]),
        ("r_", ["r_sa"]),
        ("Gülşah", ["emma"]),
        ("ليل", ["layla"]),
        ("100%", ["r_sa"]),
        ("%", []),
        ("osa", []),
    ],
)
def test_people_are_found_by_the_beginning_of_address_or_name(
    engine: Engine, lists: dict[str, int], asked: str, found: list[str]
) -> None:
    with engine.begin() as tx:
        people_found = find_by_beginning(tx, asked.casefold(), [asked], None, 10)

    assert [one.address.partition("@")[0] for one in people_found] == found


def test_only_people_of_the_lists_are_found(engine: Engine, lists: dict[str, int]) -> None:
    with engine.begin() as tx:
        on_walks = find_by_beginning(tx, "r", ["R"], [lists["walks"]], 10)
        on_none = find_by_beginning(tx, "r", ["R"], [], 10)
        first = find_by_beginning(tx, "r", ["R"], None, 2)

    assert [one.address for one in on_walks] == ["rosa@example.org"]
    assert on_none == []
    assert [one.address for one in first] == ["r_sa@example.org", "rolf@example.org"]


def test_people_are_counted_up_to_a_bound(
    engine: Engine, lists: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.begin() as tx:
        exact = count_people(tx, lists.values())
        monkeypatch.setattr(people_search, "COUNTED", 4)
        bounded = count_people(tx, lists.values())

    confirmed = SubscriptionState.CONFIRMED
    assert [(exact[one][confirmed].number, exact[one][confirmed].is_exact) for one in lists.values()] == [
        (6, True),
        (1, True),
    ]
    assert exact[lists["walks"]][SubscriptionState.PENDING].number == 0
    assert [(bounded[one][confirmed].number, bounded[one][confirmed].is_exact) for one in lists.values()] == [
        (4, False),
        (1, True),
    ]


def test_finding_people_reads_no_table_from_one_end_to_the_other(engine: Engine, lists: dict[str, int]) -> None:
    with engine.begin() as tx:
        plan = _plan_of_search(tx)

    assert "ix_subscriber_name" in plan
    assert ("sqlite_autoindex_subscriber" in plan) or ("ix_subscriber_address_prefix" in plan)
    assert "SCAN subscriber" not in plan
    assert "Seq Scan on subscriber" not in plan


def _plan_of_search(tx: Connection) -> str:
    if not is_sqlite(tx):
        tx.execute(text("SET LOCAL enable_seqscan = off"))
    seen: list[tuple[str, object]] = []

    def remember(_c: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        seen.append((statement, parameters))

    event.listen(tx, "before_cursor_execute", remember)
    find_by_beginning(tx, "rosa", ["rosa", "Rosa"], [1], 50)
    event.remove(tx, "before_cursor_execute", remember)
    statement, parameters = seen[0]
    explain = "EXPLAIN QUERY PLAN " if is_sqlite(tx) else "EXPLAIN "
    return "\n".join(str(row) for row in tx.exec_driver_sql(explain + statement, parameters))
