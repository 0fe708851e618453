"""What stood before an import is kept once, and anything that is changed afterwards shows."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Engine

from mailer.domain.address import Address
from mailer.domain.subscription import SubscriptionState
from mailer.store import mailing_lists, subscribers
from mailer.store.imports import import_changes
from mailer.store.imports.import_changes import ImportChange, PersonValues
from tests.support.queue_helpers import NOW, add_confirmed

ROSA = "rosa@example.org"
VALUES = PersonValues(
    name="Rosa",
    language="de",
    zone="Europe/Berlin",
    state=SubscriptionState.CONFIRMED,
    attributes={"town": "Ada'", "team": "b"},
    delivery_mode="digest",
    changed_at=NOW,
)


def test_what_stands_of_a_person_is_loaded_and_recorded_as_it_was(engine: Engine) -> None:
    with engine.begin() as tx:
        appeals, swaps = (
            mailing_lists.add(
                tx, name=name, title=name, description="", language="en", owner="o@example.org", now=NOW
            ).id
            for name in ("appeals", "swaps")
        )
        rosa, emma = (
            subscribers.find_or_add(tx, Address(one), f"key of {one}", NOW) for one in (ROSA, "emma@example.org")
        )
        add_confirmed(tx, appeals, {rosa: {"town": "Ada'"}})

        here, elsewhere = (import_changes.load_values(tx, one, [rosa, emma, 999]) for one in (appeals, swaps))
        import_changes.record_changes(
            tx, 7, [ImportChange(emma, None, 5), ImportChange(rosa, here[rosa][1], 2**63 - 1)]
        )
        found = {one.subscriber_id: one for one in import_changes.list_changes(tx, 7, 0, 9)}

    assert here.keys() == {rosa, emma}
    key, values = here[rosa]
    assert (key, values.state, values.attributes, values.changed_at) == (ROSA, "confirmed", {"town": "Ada'"}, NOW)
    assert [one.state for _, one in (here[emma], elsewhere[rosa])] == [None, None]
    assert found == {emma: ImportChange(emma, None, 5), rosa: ImportChange(rosa, values, 2**63 - 1)}


def test_of_a_person_changed_twice_the_first_state_before_and_the_last_after_are_kept(engine: Engine) -> None:
    first = replace(VALUES, name="Before")
    with engine.begin() as tx:
        import_changes.record_changes(tx, 7, [ImportChange(3, first, 1), ImportChange(4, None, 2)])
        import_changes.record_changes(tx, 7, [ImportChange(3, VALUES, 3)])
        import_changes.record_changes(tx, 8, [ImportChange(3, VALUES, 4)])
        import_changes.forget_changes(tx, 7, [4])

        found = import_changes.list_changes(tx, 7, 0, 9)

    assert found == [ImportChange(3, first, 3)]


def test_a_fingerprint_differs_where_anything_but_the_time_does() -> None:
    changes: list[dict[str, object]] = [
        {"name": None},
        {"language": "en"},
        {"zone": None},
        {"state": SubscriptionState.PENDING},
        {"attributes": {"town": "Ada'"}},
        {"delivery_mode": None},
    ]

    fingerprints = {replace(VALUES, **one).fingerprint(ROSA) for one in [{}, *changes]}  # type: ignore[arg-type]
    fingerprints.add(VALUES.fingerprint("emma@example.org"))

    assert len(fingerprints) == 2 + len(changes)
    assert replace(VALUES, changed_at=None).fingerprint(ROSA) in fingerprints
    assert replace(VALUES, attributes={"team": "b", "town": "Ada'"}).fingerprint(ROSA) in fingerprints
    assert max(fingerprints) < 2**63
