from __future__ import annotations

import zipfile
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.letters.media import MOST_ATTACHMENT_OCTETS
from mailer.errors import MediaRefused
from mailer.mail.media.attachment import KINDS, prepare_attachment
from tests.support.media_samples import PDF

ICS = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"


def zipped(*names: str, first: tuple[str, str] | None = None) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        if first:
            archive.writestr(zipfile.ZipInfo(first[0]), first[1])
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


_ODT = ("mimetype", "application/vnd.oasis.opendocument.text")


@pytest.mark.parametrize(
    ("name", "octets", "media_type"),
    [
        ("programme.pdf", PDF, "application/pdf"),
        ("forum.ics", ICS, "text/calendar"),
        ("notes.txt", "Bring a basket – çanta".encode(), "text/plain"),
        ("seeds.csv", b"seed,number\r\nbean,7\r\n", "text/csv"),
        ("minutes.odt", zipped("content.xml", first=_ODT), "application/vnd.oasis.opendocument.text"),
        (
            "minutes.docx",
            zipped("[Content_Types].xml", "word/document.xml"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
    ],
)
def test_these_kinds_go_into_a_letter_unchanged(name: str, octets: bytes, media_type: str) -> None:
    file = prepare_attachment(octets, name)

    assert (file.content, file.media_type, file.shown_name, file.size) == (octets, media_type, name, len(octets))
    assert not file.is_picture


def test_the_same_content_under_another_name_is_another_file_for_letters_show_the_name() -> None:
    assert prepare_attachment(PDF, "programme.pdf").path != prepare_attachment(PDF, "Programm.pdf").path
    assert prepare_attachment(PDF, "programme.pdf") == prepare_attachment(PDF, "programme.pdf")


@pytest.mark.parametrize(
    ("name", "octets", "words"),
    [
        ("virus.exe", b"MZ\x90", "cannot be in a letter"),
        ("run.sh", b"#!/bin/sh\n", "cannot be in a letter"),
        ("page.html", b"<html>", "cannot be in a letter"),
        ("drawing.svg", b"<svg/>", "cannot be in a letter"),
        ("archive.zip", zipped("a"), "cannot be in a letter"),
        ("nothing", b"x", "cannot be in a letter"),
        ("programme.pdf", b"MZ\x90", "is no PDF"),
        ("programme.pdf", b"<html>%PDF-1.4 %%EOF", "is no PDF"),
        ("programme.pdf", PDF[:20], "cut off"),
        ("notes.txt", b"\xff\xfeh\x00", "not text in UTF-8"),
        ("notes.txt", b"MZ\x00\x01", "not plain text"),
        ("notes.txt", b"  <script>alert(1)</script>", "a page or a script"),
        ("forum.ics", b"BEGIN:VCALENDAR\r\nVERSION", "cut off"),
        ("minutes.odt", zipped("[Content_Types].xml", "word/document.xml"), "not the kind of document"),
        ("minutes.odt", zipped("Basic/Module1.xml", first=_ODT), "macros"),
        ("minutes.docx", zipped("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "macros"),
        ("minutes.docx", zipped("[Content_Types].xml", "xl/workbook.xml"), "not the kind of document"),
        ("minutes.docx", b"PK\x03\x04 and no more", "not the kind of document"),
        ("long.pdf", PDF + b" " * MOST_ATTACHMENT_OCTETS, "octets; the most is"),
    ],
)
def test_everything_else_is_refused_by_name(name: str, octets: bytes, words: str) -> None:
    with pytest.raises(MediaRefused, match=words) as refused:
        prepare_attachment(octets, name)

    assert name in str(refused.value)


@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=300))
def test_any_content_is_taken_or_refused(extension: str, octets: bytes) -> None:
    with suppress(MediaRefused):
        assert prepare_attachment(octets, f"a.{extension}").content == octets
