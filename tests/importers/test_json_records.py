"""Records of JSON: where they are found, sizes and depths that are refused, streaming."""

from __future__ import annotations

import io
import itertools
import json
import tracemalloc
from collections.abc import Iterator
from typing import BinaryIO, cast

import pytest

from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.json_records import find_json_keys, read_json_records
from mailer.importers.source_files import SourceFile
from tests.support.export_files import source_files

PLACES = ("data.results.item", "item", "")
RECORDS = [{"email": "ida@example.org", "plot": 7}, {"email": "bo@example.org", "plot": 1.5}]


def file(content: str | bytes, name: str = "page.json") -> SourceFile:
    return source_files({name: content})[0]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"data": {"results": RECORDS}}),
        json.dumps({"data": {"total": 2, "note": {"results": []}, "results": RECORDS}}),
        json.dumps(RECORDS),
        "\n".join(map(json.dumps, RECORDS)),
        json.dumps([RECORDS[0]]) + json.dumps([RECORDS[1]]),
        json.dumps(RECORDS).encode("utf-8-sig"),
        json.dumps(RECORDS).encode("utf-16"),
    ],
)
def test_records_are_found_in_each_shape(content: str | bytes) -> None:
    assert find_json_keys(file(content), PLACES) == {"email", "plot"}
    assert [row for _, row in read_json_records(file(content), PLACES)] == RECORDS


@pytest.mark.parametrize("content", ["", "{", "plums", '{"other": [{"email": 1}]}', "[1, 2]", "\0\xff", '"email"'])
def test_what_has_no_records_is_not_recognised(content: str) -> None:
    assert not find_json_keys(file(content), ("item", "data.results.item"))


def test_a_file_of_another_kind_is_not_opened() -> None:
    def refuse() -> BinaryIO:
        raise AssertionError("opened")

    assert find_json_keys(SourceFile(name="people.csv", size=9, open=refuse), PLACES) is None


def test_what_is_no_object_is_a_bad_row() -> None:
    rows = [row for _, row in read_json_records(file('[{"email": 1}, "plum", null]'), PLACES)]

    assert [one.where for one in rows if isinstance(one, BadRow)] == ["page.json, record 2", "page.json, record 3"]


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_a_file_that_ends_too_early_is_refused(cut: int) -> None:
    with pytest.raises(TableRefused, match="no JSON to its end"):
        list(read_json_records(file(json.dumps(RECORDS)[:-cut]), PLACES))


class _Endless(io.RawIOBase):
    """A file that begins so, and goes on with the same octets."""

    def __init__(self, beginning: bytes, rest: bytes) -> None:
        self._beginning, self._rest = beginning, rest
        self._chunks = self._octets()

    def _octets(self) -> Iterator[bytes]:
        yield self._beginning
        yield from itertools.repeat(self._rest * 4096)

    def read(self, size: int = -1) -> bytes:
        return next(self._chunks)[:size] if size else b""

    def seek(self, offset: int, whence: int = 0) -> int:
        self._chunks = self._octets()
        return 0


@pytest.mark.parametrize(
    ("beginning", "rest", "reason"),
    [
        (b'[{"email": "', b"x", "a record larger than 1 MiB"),
        (b'[{"email": [', b"1,", "a record larger than 1 MiB"),
        (b'[{"email": ', b"[", "nested too deep"),
        (b'[{"email": {}}, ', b'{"a":', "nested too deep"),
        (b'[{"email": {}} ', b" ", "a record larger than 1 MiB"),
    ],
)
def test_endless_records_are_refused_by_name_in_little_memory(beginning: bytes, rest: bytes, reason: str) -> None:
    endless = SourceFile(name="page.json", size=1 << 40, open=lambda: cast("BinaryIO", _Endless(beginning, rest)))
    tracemalloc.start()
    try:
        with pytest.raises(TableRefused, match=f"page.json .*{reason}"):
            list(read_json_records(endless, PLACES))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 50 << 20


def test_many_records_are_read_one_by_one() -> None:
    many = file("[" + ",".join([json.dumps(RECORDS[0] | {"note": "x" * 1000})] * 4_000) + "]")
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_json_records(many, PLACES)) == 4_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 2 << 20
