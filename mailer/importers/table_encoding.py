"""Decode a table: the encoding is known by its byte order mark, by being valid UTF-8, or guessed from its letters."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from mailer.errors import TableRefused
from mailer.importers.table_records import ENDLESS_LINE

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ARCHIVES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"%PDF", b"{\\rtf")
_LATIN = "äöüßéèêëàâáãçñõôóòíìîïúùûåæøœÄÖÜÉÈÀÁÂÃÇÑÕÓÍÚÅÆØŒ"
_PUNCTUATION = "€“”„’–«»°"
_EXPECTED_LETTERS = {
    "cp1252": _LATIN + _PUNCTUATION,
    "cp1254": "çğıöşüâîûÇĞİÖŞÜ" + _PUNCTUATION,
    "mac_roman": _LATIN + _PUNCTUATION,
    "cp1250": "äöüßéëáâçóôíîúąćęłńśźżčďěňřšťůýžőűĄĆĘŁŃÓŚŹŻČĎĚŇŘŠŤÚŮÝŽŐŰÁÉÍÄÖÜ" + _PUNCTUATION,
    "cp1251": "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁІЇЄҐ№«»",
    "koi8_r": "абвгдежзийклмнопрстуфхцчшщъыьэюяёАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁ",
    "cp1256": "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژگ،؟",
    "gb18030": "",
    "big5": "",
}
"""Letters of names and streets that text in an encoding is likely to have; the likeliest encoding first."""
_RARE_LETTERS = "ðþýÐÞÝ"
_OTHER_SCRIPTS = ("cp1251", "koi8_r", "cp1256", "gb18030", "big5")
_COMMON_HANZI = {"gb18030": (0xB0, 0xD7), "big5": (0xA4, 0xC6)}
"""The range of first octets in which an encoding has its common characters."""
_DISPLAY_NAMES = {"cp": "Windows-", "koi8_r": "KOI8-R", "gb18030": "GB18030", "big5": "Big5", "mac_roman": "Mac Roman"}
_WORD = re.compile(r"[^\W\d_]+")
_CHUNK, _SAMPLE = 1 << 16, 1 << 15


def open_table(file: BinaryIO, encoding: str | None = None) -> tuple[io.TextIOWrapper, str | None]:
    """Open a seekable file as text; also what was guessed about its encoding, None where nothing was.

    An `encoding` that is given is used. Octets that are not valid UTF-8 become surrogates (PEP 383). Raises
    TableRefused for what is no text, and for an unknown encoding.
    """
    head = file.read(4096)
    file.seek(0)
    if head.startswith(_ARCHIVES):
        raise TableRefused("is an archive or a spreadsheet's own file: save the sheet as CSV (UTF-8), and import that")
    if encoding is not None:
        return _open_text(file, _canonical_encoding(encoding)), None
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if head.startswith(mark)), None)
    if marked == "utf-8-sig":
        return _open_text(file, marked), None
    if marked or (marked := _detect_utf16(head)):
        return _open_text(file, marked), f"it is read as {marked.upper()}"
    if b"\0" in head:
        raise TableRefused("is no text: save the table as CSV (UTF-8), and import that")
    return _open_without_mark(file)


def _canonical_encoding(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        b"".decode(name)
    except LookupError:
        raise TableRefused(f"there is no encoding called {encoding!r}") from None
    return "utf-8-sig" if name == "utf-8" else name


def _open_text(file: BinaryIO, encoding: str) -> io.TextIOWrapper:
    errors = "surrogateescape" if encoding == "utf-8-sig" else "replace"
    return io.TextIOWrapper(file, encoding, errors, newline="")


def _detect_utf16(head: bytes) -> str | None:
    """The kind of UTF-16 without a mark, in which every other octet of ASCII letters is 0; None for other text."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if even + odd < len(head) // 10 + 1 or min(even, odd) * 10 > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _open_without_mark(file: BinaryIO) -> tuple[io.TextIOWrapper, str | None]:
    """Open as UTF-8 where most lines with non-ASCII octets are valid; otherwise in the encoding that scores best."""
    if _is_utf8(file):
        return _open_text(file, "utf-8-sig"), None
    valid, broken, sample = 0, 0, b""
    for line in _lines(file):
        if line.isascii():
            continue
        try:
            line.decode()
            valid += 1
        except UnicodeDecodeError:
            broken += 1
            sample += line if len(sample) < _SAMPLE else b""
    file.seek(0)
    if valid >= broken:
        return _open_text(file, "utf-8-sig"), f"it is UTF-8 but for {broken} lines, which are read as Windows-1252"
    guess = guess_encoding(sample)
    display_name = next(
        (name + guess[2:] if name == "Windows-" else name for key, name in _DISPLAY_NAMES.items() if key in guess), ""
    )
    return _open_text(file, guess), f"it is not UTF-8; it is read as {display_name} (if that is wrong: --encoding NAME)"


def _is_utf8(file: BinaryIO) -> bool:
    """Whether all of a file is valid UTF-8; it is left at its start."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        file.seek(0)
    return True


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; a long one in pieces. Raises TableRefused for one longer than ENDLESS_LINE."""
    rest, length = b"", 0
    while chunk := file.read(_CHUNK):
        *lines, rest = re.split(rb"[\r\n]+", rest + chunk)
        yield from lines
        length = len(rest) if lines else length + len(chunk)
        if length > ENDLESS_LINE:
            raise TableRefused(f"a line has more than {ENDLESS_LINE} octets: it is no table")
        if len(rest) > _CHUNK:
            yield rest
            rest = b""
    yield rest


def guess_encoding(sample: bytes) -> str:
    """The likeliest encoding of text that is not UTF-8; of equal ones the first."""
    return max(_EXPECTED_LETTERS, key=lambda name: _score_encoding(sample, name))


def _score_encoding(sample: bytes, encoding: str) -> float:
    """Score how much the text in this encoding looks like words: points for expected letters, less for odd words."""
    text = sample.decode(encoding, "replace")
    score = sum(_score_letter(letter, encoding) for letter in text if letter > "\x7f")
    for word in _WORD.findall(text):
        odd = sum(letter > "\x7f" for letter in word)
        if odd and word not in {word.title(), word.lower(), word.upper()}:
            score -= 3.0
        if odd and encoding in _OTHER_SCRIPTS:
            score -= 2.0 * (len(word) - odd)
        elif odd == len(word) > 2:
            score -= odd
    return score


def _score_letter(letter: str, encoding: str) -> float:
    if letter == "\ufffd" or "\x80" <= letter <= "\x9f":
        return -5.0
    if encoding in _COMMON_HANZI:
        if not "一" <= letter <= "鿿":
            return -1.0
        first, last = _COMMON_HANZI[encoding]
        return 2.0 if first <= letter.encode(encoding)[0] <= last else 0.5
    if letter in _EXPECTED_LETTERS[encoding]:
        return 1.0
    if not letter.isalpha() or encoding in _OTHER_SCRIPTS:
        return -1.0
    return 0.5 if letter in _RARE_LETTERS else 0.2
