"""Records of a product's API in JSON, read one by one from files of any size."""

from __future__ import annotations

import codecs
from collections.abc import Collection, Iterator
from typing import Any, BinaryIO

import ijson

from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.source_files import SourceFile

_HEAD, _CHUNK = 1 << 16, 1 << 12
_MAX_RECORD, _MAX_DEPTH = 1 << 20, 1000
_SUFFIXES = ("json", "jsonl", "ndjson")
_ENCODINGS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

JsonRecord = dict[str, Any]


def find_json_keys(file: SourceFile, places: Collection[str]) -> frozenset[str] | None:
    """The keys of the first record of a file of JSON, by its first octets; None where it has no records there.

    `places` says where the records are: `data.results.item`, `item` in a list, "" for records one after the other.
    """
    place = _find_place(file, places)
    if place is None:
        return None
    keys = set()
    for path, event, value in _parse_head(file):
        if event == "map_key" and path == place:
            keys.add(value)
        elif event == "end_map" and path == place:
            break
    return frozenset(keys)


def read_json_records(file: SourceFile, places: Collection[str]) -> Iterator[tuple[int, JsonRecord | BadRow]]:
    """The records of a file, each with 0 for its line; what is no object is a BadRow.

    Raises TableRefused for what is no JSON, or ends too early, and for records larger than 1 MiB.
    """
    place = _find_place(file, places)
    if place is None:
        raise TableRefused(f"{file.base_name} has no records where they are expected")
    with file.open() as opened:
        source = _BoundedSource(opened, file.base_name)
        try:
            records = ijson.items(source, place, multiple_values=True, use_float=True, buf_size=_CHUNK)
            for number, record in enumerate(records, 1):
                source.since_record = 0
                if isinstance(record, dict):
                    yield 0, record
                else:
                    yield 0, BadRow(0, "is no object", f"{file.base_name}, record {number}")
        except (ijson.JSONError, ValueError, OverflowError) as trouble:
            raise TableRefused(f"{file.base_name} is no JSON to its end: {_shorten(trouble)}") from None


def _find_place(file: SourceFile, places: Collection[str]) -> str | None:
    """The first of the places at which the file has an object within its first octets."""
    if file.base_name and file.base_name.rpartition(".")[2].lower() not in _SUFFIXES:
        return None
    nested = [place for place in places if place]
    first = None
    for path, event, _ in _parse_head(file):
        first = first or event
        if event == "start_map" and path in nested:
            return path
        if event == "end_array" and _item_of(path) in nested:
            return _item_of(path)
    return "" if "" in places and first == "start_map" else None


def _item_of(path: str) -> str:
    return f"{path}.item" if path else "item"


def _parse_head(file: SourceFile) -> Iterator[tuple[str, str, Any]]:
    """The events of a file's first octets, up to where they are no JSON."""
    with file.open() as opened:
        head = _BoundedSource(opened, file.base_name)
        try:
            for event in ijson.parse(head, multiple_values=True, use_float=True, buf_size=_CHUNK):
                if head.since_record > _HEAD:
                    return
                yield event
        except (ijson.JSONError, ValueError, OverflowError, TableRefused):
            return


class _BoundedSource:
    """A file of JSON as UTF-8. Raises TableRefused for a record that is too large or nested too deep."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        mark = file.read(4)
        file.seek(0)
        encoding = next((one for bom, one in _ENCODINGS if mark.startswith(bom)), None)
        self._file, self._name = file, name
        self._decoder = codecs.getincrementaldecoder(encoding)("replace") if encoding else None
        self._depth = 0
        self.since_record = 0

    def read(self, size: int = _CHUNK) -> bytes:
        """The next octets."""
        chunk = self._file.read(size)
        self.since_record += len(chunk)
        if self._decoder and chunk:
            chunk = self._decoder.decode(chunk).encode("utf-8", "replace") or self.read(size)
        self._depth += chunk.count(b"[") + chunk.count(b"{") - chunk.count(b"]") - chunk.count(b"}")
        if self._depth > _MAX_DEPTH:
            raise TableRefused(f"{self._name} is nested too deep")
        if self.since_record > _MAX_RECORD:
            raise TableRefused(f"{self._name} has a record larger than {_MAX_RECORD >> 20} MiB")
        return chunk


def _shorten(trouble: Exception) -> str:
    return " ".join(str(trouble).split())[:120]
