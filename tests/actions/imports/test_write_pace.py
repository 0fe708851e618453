"""An import writes little at a time while others write, and more when nobody does."""

from __future__ import annotations

from mailer.actions.imports.write_pace import WritePace


def adapted(pace: WritePace, times: int, *, us_per_person: float, others_wrote: bool = False) -> WritePace:
    for _ in range(times):
        held_s = pace.people * us_per_person / 1e6
        pace.adapt(pace.people, held_s, held_s + pace.gap_s + 0.1, others_wrote=others_wrote)
    return pace


def test_it_is_gentle_at_first_and_quick_after_a_second_in_which_nobody_else_wrote() -> None:
    pace = WritePace()

    adapted(pace, 5, us_per_person=50)
    first = (pace.is_quick, pace.people)
    adapted(pace, 20, us_per_person=50)

    assert first == (False, 240)
    assert (pace.is_quick, pace.people) == (True, 2000)
    assert pace.gap_s < 0.01


def test_while_others_write_it_leaves_them_most_of_the_time() -> None:
    pace = adapted(WritePace(), 30, us_per_person=50)

    adapted(pace, 1, us_per_person=50, others_wrote=True)
    assert not pace.is_quick
    adapted(pace, 9, us_per_person=50, others_wrote=True)

    held_s = pace.people * 50e-6
    assert held_s < 0.013
    assert pace.gap_s > 2 * held_s


def test_on_a_slow_disk_it_still_writes_enough_people_at_once() -> None:
    assert adapted(WritePace(), 30, us_per_person=2000, others_wrote=True).people == 100
    assert adapted(WritePace(), 30, us_per_person=2000).people == 1000
