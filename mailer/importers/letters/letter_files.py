"""Read the letters of an archive of other software, from all its files."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import IO

from mailer.domain.letters.earlier_letter import EarlierLetter
from mailer.errors import TableRefused
from mailer.importers.bad_row import LeftBehind
from mailer.importers.letters.campaign_pages import is_campaign_table, read_campaign_page, read_campaign_table
from mailer.importers.letters.mail_letter import read_mail_letter
from mailer.importers.letters.mbox import MOST_MAIL_OCTETS, is_mbox, split_mbox
from mailer.importers.source_files import SourceFile

_HEAD = 4096
_HEADER_FIELD = re.compile(rb"(?:From |[A-Za-z][A-Za-z0-9-]{1,60}: ?\S)")
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
"""The name of a file that is one mail, where it is its place in the archive."""
_MOST_UNPACKED, _SURELY_UNPACKED, _MOST_RATIO = 4 << 30, 16 << 20, 100
"""Octets of one packed file: at most so many, and beyond the second only so many times what it has packed."""
_GZIP_MARK = b"\x1f\x8b"
_PAGES = (".html", ".htm")
_TOO_LARGE = f"has more than {MOST_MAIL_OCTETS >> 20} MiB: left out"


def read_letters(files: Sequence[SourceFile]) -> Iterator[EarlierLetter | LeftBehind]:
    """The letters of mbox files (also packed with gzip), of files that are one mail each, and of pages of campaigns.

    What cannot be read is named, and does not stop the rest. Files of other kinds are passed over. Raises TableRefused
    where no file holds letters.
    """
    tables = [one for one in files if one.base_name.lower().endswith(".csv") and is_campaign_table(_head(one))]
    table = {key: row for one in tables for key, row in read_campaign_table(_octets(one)).items()}
    any_letters = False
    for file in sorted(files, key=lambda one: _by_number(one.name)):
        for found in _read_file(file, lambda name, octets: read_campaign_page(name, octets, table)):
            any_letters = True
            yield found
    if not any_letters:
        raise TableRefused("holds no letters: mbox files, mails, or pages of campaigns with their table")


def _read_file(
    file: SourceFile, read_page: Callable[[str, bytes], EarlierLetter]
) -> Iterator[EarlierLetter | LeftBehind]:
    head = _head(file)
    if head.startswith(_GZIP_MARK) or is_mbox(head):
        yield from _read_mbox(file, packed=head.startswith(_GZIP_MARK))
    elif file.base_name.lower().endswith(_PAGES):
        yield _try(file.name, lambda: read_page(file.name, _octets(file)))
    elif _is_mail(head):
        number = int(file.base_name) if _NUMBER.fullmatch(file.base_name) else None
        yield _try(file.name, lambda: read_mail_letter(_octets(file), number))


def _read_mbox(file: SourceFile, *, packed: bool) -> Iterator[EarlierLetter | LeftBehind]:
    with closing(file.open()) as octets:
        opened: IO[bytes] = _Bounded(gzip.GzipFile(fileobj=octets), file.size) if packed else octets  # type: ignore[assignment]
        try:
            if packed and not is_mbox(opened.readline(_HEAD)):
                return
            opened.seek(0)
            for number, raw in enumerate(split_mbox(opened)):
                place = f"{file.name}, mail {number + 1}"
                yield LeftBehind(place, _TOO_LARGE) if raw is None else _read_mail(place, raw, number)
        except (OSError, EOFError, zlib.error) as error:
            yield LeftBehind(file.name, f"is broken from here on: {error}")


def _read_mail(place: str, raw: bytes, number: int) -> EarlierLetter | LeftBehind:
    return _try(place, lambda: read_mail_letter(raw, number))


def _try(place: str, read: Callable[[], EarlierLetter]) -> EarlierLetter | LeftBehind:
    try:
        return read()
    except TableRefused as refusal:
        return LeftBehind(place, str(refusal))


class _Bounded:
    """A packed file that gives no more octets than an archive of its size can have, then raises OSError."""

    def __init__(self, file: gzip.GzipFile, packed: int) -> None:
        self._file = file
        self._most = min(_MOST_UNPACKED, max(_SURELY_UNPACKED, _MOST_RATIO * packed))

    def readline(self, most: int) -> bytes:
        if self._file.tell() > self._most:
            raise OSError(f"more than {self._most >> 20} MiB unpacked")
        return self._file.readline(most)

    def seek(self, place: int) -> int:
        return self._file.seek(place)


def _is_mail(head: bytes) -> bool:
    """Whether a file that begins so is one mail: header fields, among them what each mail has."""
    lines = head.partition(b"\n\n")[0].replace(b"\r\n\r\n", b"\n\n").splitlines()
    names = {line.partition(b":")[0].lower() for line in lines}
    return bool(lines) and _HEADER_FIELD.match(lines[0]) is not None and {b"from", b"date"} <= names


def _by_number(name: str) -> list[tuple[int, str]]:
    """The order of names with numbers in them as numbers: 2 before 10."""
    return [(int(digits), "") if digits else (-1, text) for digits, text in re.findall(r"(\d{1,18})|(\D+)", name)]


def _head(file: SourceFile) -> bytes:
    with closing(file.open()) as octets:
        return octets.read(_HEAD)


def _octets(file: SourceFile) -> bytes:
    if file.size > MOST_MAIL_OCTETS:
        raise TableRefused(_TOO_LARGE)
    with closing(file.open()) as octets:
        return octets.read(MOST_MAIL_OCTETS)
