"""Zips that lie, explode, hide things or lead elsewhere are refused by name, quickly and in little memory."""

from __future__ import annotations

import io
import stat
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import TableRefused
from mailer.importers.sources.open_source import open_stream

PEOPLE = b"email,name\nrosa@example.org,Rosa\n"


def _read(octets: bytes) -> dict[str, bytes]:
    with open_stream(io.BytesIO(octets), "export.zip") as source:
        return {file.name: file.open().read() for file in source.files}


def _refusal(octets: bytes) -> str:
    with pytest.raises(TableRefused) as refused:
        _read(octets)
    return str(refused.value)


def _zip(*entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as packed:
        for name, content in entries:
            packed.writestr(name, content)
    return out.getvalue()


def _entry(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def _patched(octets: bytes, name: bytes, offset: int, new: bytes) -> bytes:
    """The zip with other octets at an offset of the directory's entry of this name."""
    at = octets.rindex(name) - 46 + offset
    return octets[:at] + new + octets[at + len(new) :]


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (_zip(("../people.csv", PEOPLE)), "'../people.csv' in it has a name that leads out of the zip"),
        (_zip(("a/../../people.csv", PEOPLE)), "leads out of the zip"),
        (_zip(("/etc/people.csv", PEOPLE)), "'/etc/people.csv' in it has a name that begins at the disk's root"),
        (_zip(("C:people.csv", PEOPLE)), "begins at the disk's root"),
        (_zip(("a\\people.csv", PEOPLE)), "has a backslash in its name"),
        (_patched(_zip(("people.csv", PEOPLE)), b"people.csv", 46, b"people\0csv"), "has no proper name"),
        (_zip((_entry("link", stat.S_IFLNK | 0o777), b"/etc/passwd")), "'link' in it is a link to elsewhere"),
        (_zip((_entry("pipe", stat.S_IFIFO | 0o777), b"")), "'pipe' in it is a device, a pipe or a socket"),
        (_patched(_zip(("people.csv", PEOPLE)), b"people.csv", 8, b"\1\0"), "is encrypted: unpack the zip"),
        (_zip(("people.csv", PEOPLE), method=zipfile.ZIP_BZIP2), "packed in an unusual way: unpack the zip"),
        (_zip(("inner.zip", _zip(("people.csv", PEOPLE)))), "it holds inner.zip, an archive within it"),
        (_zip(("people.tar.gz", b"\x1f\x8b")), "it holds people.tar.gz, an archive within it"),
        (_zip(("people.csv", PEOPLE))[:-30], "damaged"),
        (_patched(_zip(("people.csv", PEOPLE)), b"people.csv", 16, b"\0\0\0\0"), "people.csv in it is damaged"),
        (_patched(_zip(("people.csv", PEOPLE)), b"people.csv", 24, b"\5\0\0\0"), "people.csv in it is damaged"),
        (_patched(_zip(("people.csv", PEOPLE)), b"people.csv", 24, b"\xff\0\0\0"), "people.csv in it is damaged"),
    ],
)
def test_a_misleading_zip_is_refused_by_name(octets: bytes, words: str) -> None:
    refusal = _refusal(octets)

    assert refusal.startswith("export.zip is refused: ")
    assert words in refusal


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused() -> None:
    assert "it holds people.csv twice" in _refusal(_zip(("people.csv", PEOPLE), ("people.csv", b"email\n")))


def test_names_are_read_in_the_encoding_in_which_they_are() -> None:
    utf8_unmarked = _zip(("M|ller.csv", PEOPLE)).replace(b"M|ller", b"M\x81ller")
    marked = _zip(("Müller.csv", PEOPLE))
    unmarked = marked.replace(b"\x14\0\x00\x08", b"\x14\0\0\0").replace(b"\x14\x03\x14\0\x00\x08", b"\x14\3\x14\0\0\0")

    assert _read(utf8_unmarked) == {"Müller.csv": PEOPLE}
    assert _read(marked) == {"Müller.csv": PEOPLE}
    assert unmarked != marked
    assert _read(unmarked) == {"Müller.csv": PEOPLE}


def test_an_ordinary_zip_of_many_alike_rows_is_read() -> None:
    rows = b"email,name,country\n" + b"".join(b"%d@example.org,,Germany\n" % number for number in range(100_000))

    assert _read(_zip(("people.csv", rows))) == {"people.csv": rows}


def _overlapping(number: int) -> bytes:
    """A zip whose directory names one file over and over (D. Fifield's bomb with full overlap)."""
    content = zlib.compress(bytes(1 << 20), 9)[2:-4]
    crc, name = zlib.crc32(bytes(1 << 20)), b"0000"
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, crc, len(content), 1 << 20, 4, 0) + name + content
    directory = b"".join(
        struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 0, crc, len(content), 1 << 20, 4, 0, 0, 0, 0, 0, 0)
        + b"%04d" % one
        for one in range(number)
    )
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, number, number, len(directory), len(local), 0)
    return local + directory + end


def _huge_directory() -> bytes:
    """A zip whose directory has 20 MB."""
    directory = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    filling = directory * (20_000_000 // len(directory))
    return b"PK\3\4" + filling + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 10, 10, len(filling), 4, 0)


def _ratio() -> bytes:
    return _zip(("people.csv", bytes(30 << 20)))


def _many() -> bytes:
    return _zip(*((f"{number}.csv", b"") for number in range(10_001)))


BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "overlap": (lambda: _overlapping(1000), "shares its octets with another file"),
    "directory": (_huge_directory, "its directory has"),
    "ratio": (_ratio, "no table shrinks so far"),
    "many": (_many, "10001 files, more than 10000"),
}
_TRY = """
import resource, sys
from pathlib import Path
from mailer.errors import TableRefused
from mailer.importers.sources.open_source import open_source
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
try:
    with open_source(Path(sys.argv[1])) as source:
        for file in source.files:
            file.open().read()
except TableRefused as refusal:
    peak_kib = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
    print(peak_kib < 100_000, refusal)
"""


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_in_little_time_and_memory(bomb: str, tmp_path: Path) -> None:
    make, words = BOMBS[bomb]
    (tmp_path / "bomb.zip").write_bytes(make())

    tried = subprocess.run(
        [sys.executable, "-c", _TRY, tmp_path / "bomb.zip"], capture_output=True, text=True, check=True
    )

    assert tried.stdout.startswith("True bomb.zip is refused: ")
    assert words in tried.stdout


@given(st.data())
def test_whatever_is_damaged_is_refused_and_nothing_else_happens(data: st.DataObject) -> None:
    octets = bytearray(_zip(("people.csv", PEOPLE), ("inner/other.csv", PEOPLE * 20)))
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(4, len(octets)))
    with suppress(TableRefused):
        _read(bytes(octets[:cut]))
