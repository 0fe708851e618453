"""DKIM canonicalization of incoming bodies, compared with dkimpy."""

from __future__ import annotations

import time

import dkim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.mail.dkim import canonicalization as canonical
from mailer.mail.dkim.canonicalization import canonicalize_body

BODIES = st.lists(st.sampled_from([b" ", b"\t", b"a", b"\r\n", b"\n", b"\r", b"  b"]), max_size=40).map(b"".join)


@given(BODIES, st.integers(1, 9))
@settings(max_examples=150)
def test_it_is_as_another_implementation_has_it_whatever_the_chunks(body, at_once):
    lines = body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(canonical, "_CHUNK_OCTETS", at_once)
        relaxed = canonicalize_body(body, relaxed=True)

    assert relaxed == (dkim.canonicalization.Relaxed.canonicalize_body(lines) if lines else b"")
    assert canonicalize_body(body, relaxed=False) == dkim.canonicalization.Simple.canonicalize_body(lines)


@pytest.mark.parametrize("piece", [b" ", b"\t \t", b"\n", b"a ", b"\r", b" \r"])
def test_hostile_bodies_take_time_in_proportion_to_their_length(piece):
    began = time.process_time()

    canonicalize_body(piece * (2_000_000 // len(piece)) + b"x", relaxed=True)

    assert time.process_time() - began < 10
