"""A provider's call that comes again is not processed again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailer.domain.provider_call_dedup import SeenCalls
from mailer.errors import ProviderCallInProgress
from tests.support.provider_calls import (
    NOW,
)


def test_a_call_that_could_not_be_processed_is_new_when_it_is_repeated():
    known = SeenCalls()

    first = known.claim("a", b"1", NOW)
    with pytest.raises(ProviderCallInProgress):
        known.claim("a", b"1", NOW)
    known.forget("a")
    second = known.claim("a", b"1", NOW)
    known.mark_done("a")

    assert [first, second, known.claim("a", b"1", NOW)] == [True, True, False]


def test_calls_are_remembered_for_26_hours_and_up_to_a_maximum():
    known = SeenCalls(max_calls=3)

    claimed = [known.claim(name, b"", NOW) for name in "abcda"]
    known.mark_done("d")
    still = known.claim("d", b"", NOW + timedelta(hours=25))
    later = known.claim("d", b"", NOW + timedelta(hours=27))

    assert (claimed, still, later) == ([True] * 5, False, True)
