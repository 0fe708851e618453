"""Where exports lie: files, folders, zips and pipes are read alike, and what is hostile is refused by name."""

from __future__ import annotations

import io
import os
import socket
import stat
import tempfile
import threading
import zipfile
from pathlib import Path

import pytest

from mailer.errors import TableRefused
from mailer.importers.source_files import SourceFiles
from mailer.importers.sources.folder import MOST_DEPTH
from mailer.importers.sources.open_source import open_source, open_stream

PEOPLE = b"email,name\nrosa@example.org,Rosa\n"


def _contents(source: SourceFiles) -> dict[str, bytes]:
    return {file.name: file.open().read() for file in source.files}


def _refusal(path: Path) -> str:
    with pytest.raises(TableRefused) as refused, open_source(path) as source:
        _contents(source)
    return str(refused.value)


def _zip(path: Path, names: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in names.items():
            out.writestr(name, content)
    return path


def test_a_file_a_folder_a_zip_and_a_pipe_give_the_same_files(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "people.csv").write_bytes(PEOPLE)
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "inner" / "._people.csv").write_bytes(b"x")
    packed = _zip(tmp_path / "export.zip", {"inner/people.csv": PEOPLE, "__MACOSX/inner/._people.csv": b"x"})

    with open_source(folder) as source:
        from_folder = (source.name, _contents(source))
    with open_source(packed) as source:
        from_zip = (source.name, _contents(source))
    with open_stream(io.BytesIO(packed.read_bytes())) as source:
        from_stream = (source.name, _contents(source))
    with open_source(folder / "inner" / "people.csv") as source:
        alone = (source.name, _contents(source))
    with open_stream(io.BytesIO(PEOPLE)) as source:
        piped = (source.name, _contents(source))

    assert from_folder == ("export", {"inner/people.csv": PEOPLE})
    assert from_zip == ("export.zip", {"inner/people.csv": PEOPLE})
    assert from_stream == ("standard input", {"inner/people.csv": PEOPLE})
    assert alone == ("people.csv", {"people.csv": PEOPLE})
    assert piped == ("standard input", {"": PEOPLE})


def test_a_pipe_with_a_name_is_read_as_a_stream(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(PEOPLE))
    writer.start()

    with open_source(pipe) as source:
        found = _contents(source)
    writer.join()

    assert found == {"": PEOPLE}


def test_files_can_be_opened_side_by_side_and_read_from_anywhere(tmp_path: Path) -> None:
    packed = _zip(tmp_path / "export.zip", {"people.csv": PEOPLE * 10_000})
    (tmp_path / "people.csv").write_bytes(PEOPLE * 10_000)

    for path in (packed, tmp_path / "people.csv"):
        with open_source(path) as source, source.files[0].open() as one, source.files[0].open() as other:
            one.seek(-len(PEOPLE), os.SEEK_END)
            assert (one.read(), other.read(5), one.seek(0), one.readline()) == (PEOPLE, b"email", 0, b"email,name\n")


def test_a_folder_is_listed_without_following_links_or_waiting_for_pipes(tmp_path: Path) -> None:
    folder = tmp_path / "list"
    (folder / "archive").mkdir(parents=True)
    (folder / "archive" / "1").write_bytes(b"From: rosa@example.org\n")
    (folder / "people.csv").write_bytes(PEOPLE)
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "link.csv").symlink_to(tmp_path / "secret")
    (folder / "outside").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(folder / "door"))

        with open_source(folder) as source:
            found = _contents(source)

    assert found == {"people.csv": PEOPLE}
    assert source.passed_over == (
        "archive/ (archived mails)",
        "door (no file on the disk)",
        "link.csv (a link)",
        "outside (a link)",
        "pipe.csv (no file on the disk)",
    )


def test_names_that_are_not_utf8_can_be_shown(tmp_path: Path) -> None:
    (tmp_path / "list").mkdir()
    for name in (b"M\xfcller.csv", b"two\nlines.csv"):
        (tmp_path / "list" / os.fsdecode(name)).write_bytes(PEOPLE)

    with open_source(tmp_path / "list") as source:
        assert _contents(source) == {"M\\xfcller.csv": PEOPLE, "two\\nlines.csv": PEOPLE}


def test_a_folder_that_is_too_deep_or_too_full_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path.joinpath("deep", *["a"] * (MOST_DEPTH + 2))
    deep.mkdir(parents=True)
    full = tmp_path / "full"
    for number in range(12):
        (full / f"{number}").mkdir(parents=True)

    assert "deeper than 20 folders" in _refusal(tmp_path / "deep")
    monkeypatch.setattr("mailer.importers.sources.folder.MOST_ENTRIES", 10)
    assert "full has more than 10 files" in _refusal(full)


def test_a_folder_within_that_may_not_be_read_is_refused() -> None:
    own, nobody = os.geteuid(), 65534
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        closed = Path(folder) / "list" / "closed"
        closed.mkdir(parents=True)
        Path(folder).chmod(0o755)
        closed.chmod(0)
        try:
            if own == 0:  # who may read everything
                os.seteuid(nobody)
            assert _refusal(closed.parent) == "closed/ cannot be read: Permission denied"
        finally:
            os.seteuid(own)
            closed.chmod(stat.S_IRWXU)


def test_what_cannot_be_read_at_all_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()

    assert _refusal(tmp_path / "empty.csv") == "empty.csv is empty"
    assert _refusal(tmp_path / "nothing") == "nothing cannot be read: No such file or directory"
    assert "null is a device" in _refusal(Path("/dev/null"))


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"7z\xbc\xaf\x27\x1c\0\4", "a 7z archive: unpack it"),
        (b"Rar!\x1a\x07\x01\0", "a RAR archive: unpack it"),
        (b"\x1f\x8b\x08\0", "packed by gzip: unpack it"),
        (b"BZh91AY", "packed by bzip2: unpack it"),
        (b"\xfd7zXZ\0\0", "packed by xz: unpack it"),
        (b"people.csv".ljust(257, b"\0") + b"ustar\x0000", "a tar archive: unpack it"),
    ],
)
def test_other_archives_are_refused_with_what_to_do(tmp_path: Path, head: bytes, words: str) -> None:
    (tmp_path / "people").write_bytes(head)

    assert f"people is {words}" in _refusal(tmp_path / "people")


def test_a_document_of_an_office_program_is_one_file_though_it_is_a_zip(tmp_path: Path) -> None:
    sheet = _zip(tmp_path / "people.xlsx", {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"})

    with open_source(sheet) as source:
        assert [(file.name, file.size) for file in source.files] == [("people.xlsx", sheet.stat().st_size)]


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    for change in (
        lambda file: file.write_bytes(PEOPLE),
        lambda file: file.open("ab").write(PEOPLE),
        lambda file: os.truncate(file, 100_000),
    ):
        folder = tmp_path / "list"
        folder.mkdir(exist_ok=True)
        file = folder / "people.csv"
        for path in (folder, file):
            file.write_bytes(PEOPLE * 10_000)
            with open_source(path) as source, source.files[0].open() as octets:
                octets.read(10)
                change(file)
                with pytest.raises(TableRefused, match=r"people\.csv changed while it was read"):
                    octets.read()


def test_a_file_put_in_the_place_of_a_listed_one_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "list"
    folder.mkdir()
    (folder / "people.csv").write_bytes(PEOPLE)
    (tmp_path / "other").write_bytes(PEOPLE)

    with open_source(folder) as source:
        (folder / "people.csv").unlink()
        (folder / "people.csv").symlink_to(tmp_path / "other")
        with pytest.raises(TableRefused, match=r"people\.csv cannot be read"):
            source.files[0].open()
        (tmp_path / "other").replace(folder / "people.csv")
        with pytest.raises(TableRefused, match=r"people\.csv changed"):
            source.files[0].open()
