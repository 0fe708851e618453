"""What comes back is read: whose letter, whether it is over, why, and whether it is held against anybody."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from return_samples import ALL, Sample

from mailer.domain.returned import ReturnKind
from mailer.mail.returns.read_return import read_return

OWN = {"lists.example.org"}
SAMPLES = pytest.mark.parametrize("sample", ALL, ids=lambda sample: sample.system)
SCRAPS = [
    b"\r\n",
    b"\n\n",
    b"--b",
    b"--b--",
    b"@",
    b"<",
    b">>> DATA\n<<< 550 ",
    b"Final-Recipient: ",
    b"Status: 9.9.9\n",
]
SCRAPS += [
    b"\x00",
    b"\xff",
    b"message/rfc822",
    b'boundary="',
    b"base64",
    b"=\n",
    b"{",
    b"-" * 200,
    b"a" * 2000,
    b" " * 500,
]


@SAMPLES
def test_a_mail_that_came_back_says_of_whom_and_why(sample: Sample) -> None:
    kind, _, complaint = sample.kind.partition(" ")

    returned = read_return(sample.raw, OWN)

    assert returned.kind.value == kind
    assert returned.complaint == (complaint or None)
    assert {each.address: (each.weight.value, each.reason.value) for each in returned.recipients} == sample.recipients


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"])
def test_line_ends_change_nothing(line_end: bytes) -> None:
    for sample in ALL:
        assert read_return(sample.raw.replace(b"\n", line_end), OWN) == read_return(sample.raw, OWN), sample.system


def test_our_own_addresses_are_never_recipients() -> None:
    for sample in ALL:
        assert read_return(sample.raw, {"example.net", "example.com", "lists.example.org"}).recipients == (), (
            sample.system
        )


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(ALL), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(SCRAPS)), max_size=8)
)
def test_no_damage_stops_or_slows_the_reader(sample: Sample, damages: list[tuple[float, int, bytes]]) -> None:
    raw = sample.raw
    for where, length, scrap in damages:
        at = int(where * len(raw))
        raw = raw[:at] + scrap + raw[at + length :]
    began = time.thread_time()

    returned = read_return(raw, OWN)

    assert time.thread_time() - began < 0.1
    assert all("@" in each.address and len(each.diagnostic) <= 1000 for each in returned.recipients)


@given(st.binary(max_size=2000))
def test_octets_at_all_are_read(raw: bytes) -> None:
    assert read_return(raw).kind in ReturnKind
