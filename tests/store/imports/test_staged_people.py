"""The people of an export outside the database: as they were read, one merged row each, and gone at the end."""

from __future__ import annotations

from datetime import UTC

from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.domain.address import Address
from mailer.domain.subscription import DeliveryMode, SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.importers.person_row import EvidenceGrade, ListRole, PersonRow, SuppressionEntry
from mailer.store.imports.staged_people import StagedPeople
from mailer.store.imports.staged_row import pack_row, unpack_row

TIMES = st.none() | st.datetimes(timezones=st.just(UTC))
NAMES = st.none() | st.text(max_size=9)
WORDS = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3)
SUPPRESSIONS = st.builds(
    SuppressionEntry, reason=st.sampled_from(SuppressionReason), everywhere=st.booleans(), since=TIMES, until=TIMES
)
ROWS = st.builds(
    PersonRow,
    address=st.sampled_from(["rosa@example.org", "Rosa@Example.org", "emma@example.org", "bea@example.org"]).map(
        Address
    ),
    name=NAMES,
    language=NAMES,
    zone=NAMES,
    attributes=WORDS,
    state=st.none() | st.sampled_from(SubscriptionState),
    delivery_mode=st.sampled_from(DeliveryMode),
    role=st.none() | st.sampled_from(ListRole),
    preferences=st.dictionaries(st.sampled_from(["own_posts", "copies"]), st.booleans()),
    suppressions=st.lists(SUPPRESSIONS, max_size=3).map(tuple),
    agreed_at=TIMES,
    changed_at=TIMES,
    evidence_grade=st.sampled_from(EvidenceGrade),
    evidence=WORDS,
    remarks=st.lists(st.text(max_size=9), max_size=2).map(tuple),
    source_token=NAMES,
)


@given(ROWS)
def test_a_row_is_the_same_when_it_is_read_back(row: PersonRow) -> None:
    assert unpack_row(pack_row(row)) == row


@settings(max_examples=40)
@given(st.lists(ROWS, max_size=8))
def test_the_rows_of_a_person_are_merged_in_their_order(rows: list[PersonRow]) -> None:
    expected: dict[str, tuple[int, PersonRow]] = {}
    for line, row in enumerate(rows, 2):
        first, earlier = expected.get(row.address.key, (line, None))
        expected[row.address.key] = (first, row.merge_over(earlier) if earlier else row)
    staged = StagedPeople()
    staged.add(list(enumerate(rows[:5], 2)))
    staged.add(list(enumerate(rows[5:], 7)))

    merged = staged.sort()

    in_order = list(staged.read())
    by_key = list(staged.read(few=0))

    assert [(one.key, (one.line, one.row)) for one in in_order] == list(expected.items())
    assert by_key == sorted(in_order, key=lambda one: one.key)
    assert (staged.people, merged) == (len(expected), len(rows) - len(expected))
    never = {row.address.key for row in rows if SuppressionReason.NEVER in {one.reason for one in row.suppressions}}
    assert staged.opted_out == never
    staged.close()
