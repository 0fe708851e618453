"""Pickles of Mailman 2.1 are read as plain values; hostile and damaged ones are refused by name."""

from __future__ import annotations

import os
import pickle
import pickletools
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import TableRefused
from mailer.importers.discussion.mailman.pickle_reader import PickledBounces, read_pickle
from tests.support.app_helpers import ROOT
from tests.support.python2_pickle import BounceInfo, write_python2_pickle

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 70), 1 << 70)
    | st.floats(allow_nan=False)
    | st.binary(max_size=300)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\\"), max_size=20)
)
KEYS = st.binary(max_size=20) | st.text(st.characters(max_codepoint=127, exclude_characters="\\"), max_size=9)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.lists(inner, max_size=4).map(tuple) | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=20,
)


@given(VALUES, st.sampled_from([0, 1, 2]))
def test_values_are_read_as_they_were_written(value: object, protocol: int) -> None:
    assert read_pickle(write_python2_pickle(value, protocol)) == value


@given(VALUES, st.sampled_from([0, 1, 2]))
def test_python_itself_reads_the_same(value: object, protocol: int) -> None:
    written = write_python2_pickle(value, protocol)

    assert pickle.loads(written, encoding="bytes") == read_pickle(written)


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_a_bounce_record_is_read_as_its_attributes(protocol: int) -> None:
    found = read_pickle(write_python2_pickle({b"a": BounceInfo(score=2.5, date=(2026, 9, 1))}, protocol))

    assert found == {b"a": {b"score": 2.5, b"date": (2026, 9, 1)}}
    assert isinstance(found, dict)
    assert isinstance(found[b"a"], PickledBounces)


def test_texts_of_python_3_are_read_too() -> None:
    value = {"members": {"ada@example.org": 0}, "list": [1, (2, 3, 4, 5)], "ok": True}

    assert [read_pickle(pickle.dumps(value, protocol)) for protocol in (0, 1, 2, 4)] == [value] * 4


class Call:
    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.reduced = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.reduced


NESTED = b"(" * 500_000 + b"t" * 500_000 + b"."
HOSTILE = {
    "os.system": (pickle.dumps(Call(os.system, "touch /tmp/hostile"), 1), "system"),
    "os.system, protocol 0": (pickle.dumps(Call(os.system, "true"), 0), "system"),
    "os.system, protocol 4": (pickle.dumps({"members": Call(os.system, "true")}, 4), r"(posix|nt)\.system"),
    "eval": (pickle.dumps(Call(eval, "1"), 1), "eval"),
    "another class": (b"(iMailman.MailList\nMailList\n.", "Mailman.MailList.MailList"),
    "a class after the list": (b"}(U\x07members}ucsubprocess\nPopen\n(U\x04trueo.", "subprocess.Popen"),
    "a call of the known class": (b"cMailman.Bouncer\n_BounceInfo\n(U\x01atR.", "to call something"),
    "the known class with arguments": (b"(cMailman.Bouncer\n_BounceInfo\nU\x01ao.", "with arguments"),
    "the known class by INST with arguments": (b"(U\x01aiMailman.Bouncer\n_BounceInfo\n.", "with arguments"),
    "a state for a list": (b"]}b.", "damaged"),
    "a state that is no dictionary": (b"(cMailman.Bouncer\n_BounceInfo\no]b.", "damaged"),
    "the class as a key": (b"}cMailman.Bouncer\n_BounceInfo\nK\x01s.", "neither a text"),
    "a name made on the stack": (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "os.system"),
    "persistent": (b"Psomething\n.", "persistent"),
    "persistent, binary": (b"U\x01aQ.", "persistent"),
    "extension": (b"\x80\x02\x82\x01.", "extension registry"),
    "2 GB of text": (b"T\xff\xff\xff\x7fabc.", "cut off"),
    "negative length": (b"T\xff\xff\xff\xffabc.", "cut off"),
    "2 GB of unicode": (b"X\xff\xff\xff\x7fabc.", "cut off"),
    "2 GB in 64 bits": (b"\x80\x04\x8d\x00\x00\x00\x80\x00\x00\x00\x00abc.", "cut off"),
    "a number of 2 GB": (b"\x8b\xff\xff\xff\x7fabc.", "cut off"),
    "a number of a megabyte": (b"L" + b"9" * 1_000_000 + b"L\n.", "damaged"),
    "deep nesting": (NESTED, "within each other"),
    "deep lists": (b"]" * 1_000_000 + b"a" * 999_999 + b".", "holds more than"),
    "deep key": (b"}" + b")" + b"\x85" * 100_000 + b"K\x01s.", "neither a text"),
    "a giant memo": (b"}r\xff\xff\xff\xff.", None),
    "a read before it is written": (b"j\xff\xff\xff\xff.", "damaged"),
    "doubled again and again": (b"](" + b"2" * 3_000_000 + b"e.", "twice at once"),
    "marks alone": (b"(" * 3_000_000, "within each other"),
    "an empty stack": (b"a.", "damaged"),
    "nothing": (b"", "cut off"),
    "a text": (b"<html>", "no pickle"),
    "marshal": (b"{s\x07\x00\x00\x00members", "no pickle"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles_are_refused_by_name(name: str) -> None:
    octets, words = HOSTILE[name]
    if words is None:
        assert read_pickle(octets) == {}
        return
    with pytest.raises(TableRefused, match=words):
        read_pickle(octets)


def test_a_hostile_pickle_takes_little_time_and_memory(tmp_path) -> None:
    files = []
    for number, (octets, _) in enumerate(HOSTILE.values()):
        files.append(tmp_path / str(number))
        files[-1].write_bytes(octets)
    script = """
import resource, sys
from mailer.errors import TableRefused
from mailer.importers.discussion.mailman.pickle_reader import read_pickle
from tests.support.peak_memory import peak_kib
before = peak_kib()
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
for name in sys.argv[1:]:
    try:
        read_pickle(open(name, "rb").read())
    except TableRefused:
        pass
assert peak_kib() - before < 100 << 10
"""

    subprocess.run([sys.executable, "-c", script, *files], check=True, timeout=60, cwd=ROOT)


LIST = {b"members": {b"a@example.org": 0}, b"bounce_info": {b"a@example.org": BounceInfo(score=1.0)}, b"x": [None]}


@given(st.data(), st.sampled_from([0, 1, 2]))
def test_damaged_pickles_are_refused_or_read(data: st.DataObject, protocol: int) -> None:
    octets = bytearray(write_python2_pickle(LIST, protocol))
    for at in data.draw(st.lists(st.integers(0, len(octets) - 1), max_size=4)):
        octets[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(octets)))
    try:
        read_pickle(bytes(octets[:cut]))
    except TableRefused:
        return


def test_every_cut_off_pickle_is_refused() -> None:
    octets = write_python2_pickle(LIST)
    for end in range(len(octets)):
        with pytest.raises(TableRefused, match=r"cut off|damaged"):
            read_pickle(octets[:end])


def test_each_opcode_of_python_is_known_or_refused() -> None:
    for opcode in pickletools.opcodes:
        with pytest.raises(TableRefused):
            read_pickle(opcode.code.encode("latin-1"))
