"""Many rows in one statement are passed unchanged, on each database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Dialect,
    Engine,
    Integer,
    Select,
    Text,
    Update,
    bindparam,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.types import TypeEngine

from mailer.domain.delivery import DeliveryState
from mailer.store.bulk_rows import CompiledStatement, fetch_rows, parse_instant, rows_from_json, rows_to_json
from mailer.store.columns import UtcDateTime
from mailer.store.database import is_sqlite
from mailer.store.queue.queue_tables import campaign, delivery
from tests.support.queue_helpers import NOW, delivery_row, launched_campaign

COLUMNS: dict[str, TypeEngine[Any]] = {
    "id": BigInteger(), "due_at": UtcDateTime(), "reply": Text(), "values": JSON(), "code": Integer(),
}  # fmt: skip

# Neither NUL nor half of a pair can stand in PostgreSQL's text; what people and relays say is cleaned of both.
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
NUMBERS = st.integers(-(2**63), 2**63 - 1)
PLAIN = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | WORDS
JSONS = st.dictionaries(WORDS, PLAIN | st.lists(PLAIN, max_size=3), max_size=4)
CODES = st.none() | st.integers(-(2**31), 2**31 - 1)
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC))


@given(
    rows=st.lists(
        st.tuples(
            st.none() | MOMENTS, st.none() | WORDS, st.none() | JSONS, st.none() | st.integers(-(2**31), 2**31 - 1)
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_rows_are_written_and_read_by_one_statement_each_unchanged(engine: Engine, rows: list[Any]) -> None:
    with engine.connect() as tx:
        campaign_id = launched_campaign(tx, len(rows))
        ids = list(tx.execute(select(delivery.c.id).order_by(delivery.c.id)).scalars())
        given = [(number, *row) for number, row in zip(ids, rows, strict=True)]
        one = rows_from_json(tx.dialect, "rows", COLUMNS)
        put = update(delivery).where(delivery.c.id == one.c.id)
        put = put.values({name: one.c[name] for name in ("due_at", "reply", "values", "code")})

        tx.execute(put, {"rows": rows_to_json(tx.dialect, given)})
        columns = [delivery.c[name] for name in COLUMNS]
        found = fetch_rows(tx, select(*columns).where(delivery.c.campaign_id == campaign_id).order_by(delivery.c.id))
        kept = [tuple(getattr(delivery_row(tx, number), name) for name in COLUMNS) for number in ids]
        tx.rollback()

    assert [(number, parse_instant(due), *rest) for number, due, *rest in found] == given
    assert kept == given


@given(numbers=st.lists(NUMBERS, max_size=6))
@settings(max_examples=30, suppress_health_check=list(HealthCheck))
def test_numbers_are_64_bits_wide_and_keep_their_order(engine: Engine, numbers: list[int]) -> None:
    with engine.connect() as tx:
        one = rows_from_json(tx.dialect, "ids", {"id": BigInteger()})
        ids = rows_to_json(tx.dialect, ((number,) for number in numbers))

        found = tx.execute(select(one.c.id).order_by(one.c.id), {"ids": ids}).scalars().all()
        tx.rollback()

    assert found == sorted(numbers)


def test_a_query_that_finds_nothing_gives_no_rows(engine: Engine) -> None:
    with engine.begin() as tx:
        assert fetch_rows(tx, select(delivery.c.id)) == []


def test_booleans_and_null_are_passed_unchanged(engine: Engine) -> None:
    with engine.begin() as tx:
        one = rows_from_json(tx.dialect, "rows", {"id": BigInteger(), "renew_date": Boolean()})
        rows = rows_to_json(tx.dialect, [(1, True), (2, False), (3, None)])

        yes = tx.execute(select(one.c.id).where(one.c.renew_date), {"rows": rows}).scalars().all()
        neither = tx.execute(select(one.c.id).where(one.c.renew_date.is_(None)), {"rows": rows}).scalars().all()

    assert (yes, neither) == ([1], [3])


def test_a_time_in_another_zone_is_the_same_instant(engine: Engine) -> None:
    summer = timezone(timedelta(hours=2))
    with engine.begin() as tx:
        one = rows_from_json(tx.dialect, "rows", {"id": BigInteger(), "due_at": UtcDateTime()})
        times = (datetime(2027, 3, 1, 10, tzinfo=summer), datetime(2027, 3, 1, 10, 0, 1, tzinfo=summer))

        rows = rows_to_json(tx.dialect, [(number, hour) for number, hour in enumerate(times)])
        due = tx.execute(select(one.c.id).where(one.c.due_at <= bindparam("now", NOW, UtcDateTime())), {"rows": rows})

        assert due.scalars().all() == [0]


def test_a_naive_time_is_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match="naive"):
        rows_to_json(engine.dialect, [(1, NOW.replace(tzinfo=None))])


def test_times_are_read_in_utc_whatever_zone_the_session_is_in(engine: Engine) -> None:
    with engine.begin() as tx:
        launched_campaign(tx, 1)
        tx.execute(update(delivery).values(due_at=NOW))
        if not is_sqlite(tx):
            tx.execute(text("SET LOCAL TIME ZONE 'Europe/Berlin'"))

        [[times], *_] = fetch_rows(tx, select(delivery.c.due_at))

    read = parse_instant(times)
    assert read == NOW
    assert read is not None
    assert read.tzinfo is UTC


def test_a_compiled_statement_is_compiled_once_and_takes_new_values_each_time(engine: Engine) -> None:
    made = []

    def make(dialect: Dialect) -> Update:
        made.append(dialect.name)
        one = rows_from_json(dialect, "ids", {"id": BigInteger()})
        where = (delivery.c.id == one.c.id, delivery.c.state == DeliveryState.QUEUED)
        return update(delivery).where(*where).values(due_at=bindparam("hour", type_=UtcDateTime()), reply="50 % off")

    prepared = CompiledStatement(make)
    with engine.begin() as tx:
        launched_campaign(tx, 3)
        for number in (1, 2):
            hour = NOW + timedelta(hours=number)
            changed = prepared.run(tx, ids=rows_to_json(tx.dialect, [(number,), (99,)]), hour=hour).rowcount
            assert changed == 1
        found = [(delivery_row(tx, number).due_at, delivery_row(tx, number).reply) for number in (1, 2, 3)]

    assert made == [engine.dialect.name]
    assert found == [(NOW + timedelta(hours=1), "50 % off"), (NOW + timedelta(hours=2), "50 % off"), (None, None)]


def test_a_compiled_query_keeps_its_own_values_beside_the_parameters(engine: Engine) -> None:
    def make(dialect: Dialect) -> Select[Any]:
        early = select(campaign.c.id).where(campaign.c.created_at <= NOW, campaign.c.subject == "100 %")
        return early.where(campaign.c.created_at >= bindparam("since", type_=UtcDateTime()))

    prepared = CompiledStatement(make)
    with engine.begin() as tx:
        launched_campaign(tx, 1)
        launched_campaign(tx, 1, name="gardens")
        tx.execute(update(campaign).where(campaign.c.id == 1).values(subject="100 %"))

        found = [prepared.run(tx, since=NOW + timedelta(days=days)).scalars().all() for days in (-1, 0, 1)]

    assert found == [[1], [1], []]


def test_an_ordinary_insert_stores_the_same_instant(engine: Engine) -> None:
    with engine.begin() as tx:
        launched_campaign(tx, 1)
        tx.execute(insert(delivery).values(campaign_id=0, kind="help", state="queued", due_at=NOW, queued_at=NOW))
        one = rows_from_json(tx.dialect, "rows", {"id": BigInteger(), "due_at": UtcDateTime()})
        put = update(delivery).where(delivery.c.id == one.c.id, delivery.c.campaign_id != 0).values(due_at=one.c.due_at)

        tx.execute(put, {"rows": rows_to_json(tx.dialect, [(1, NOW)])})
        same = tx.execute(select(delivery.c.id).where(delivery.c.due_at == NOW)).scalars().all()

    assert sorted(same) == [1, 2]
