from __future__ import annotations

import email.policy
import re
import unicodedata
from email import message_from_bytes
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.letters.media import (
    PATH,
    MediaFile,
    find_media_digests,
    mail_disposition,
    page_disposition,
    picture_size,
)
from mailer.mail.media.media_name import path_name, shown_name

_NAMES = st.text(max_size=300)
_DIGEST = "0123456789abcdef" * 4


def _file(name: str, shown: str = "") -> MediaFile:
    return MediaFile(digest=_DIGEST, name=name, shown_name=shown, media_type="application/pdf", content=b"x", size=1)


@pytest.mark.parametrize(
    ("given_name", "in_path", "shown"),
    [
        ("Programme.PDF", "programme.pdf", "Programme.pdf"),
        ("Şenlik programı.pdf", "senlik-programi.pdf", "Şenlik programı.pdf"),
        ("C:\\letters\\Straße.pdf", "strasse.pdf", "Straße.pdf"),
        ("../../etc/passwd.pdf", "passwd.pdf", "passwd.pdf"),
        ("収穫祭.pdf", "file.pdf", "収穫祭.pdf"),
        ("poster-100x200.pdf", "poster-100-200.pdf", "poster-100x200.pdf"),
        ("invoice\u202efdp.pdf", "invoice-fdp.pdf", "invoicefdp.pdf"),
        ('a"; x=".pdf', "a-x.pdf", "a- x=.pdf"),
        (".pdf", "file.pdf", "file.pdf"),
    ],
)
def test_a_file_has_a_plain_name_in_its_path_and_its_own_for_readers(given_name: str, in_path: str, shown: str) -> None:
    assert (path_name(given_name, "pdf"), shown_name(given_name, "pdf")) == (in_path, shown)


@given(_NAMES, st.integers(1, 9999), st.integers(1, 9999))
def test_whatever_a_picture_is_called_its_path_can_be_read_again(name: str, width: int, height: int) -> None:
    path = _file(path_name(name, "jpg", size=(width, height))).path

    assert PATH.fullmatch(path)
    assert picture_size(path) == (width, height)
    assert find_media_digests(f"![a]({path})") == {_DIGEST[:32]}


@given(_NAMES)
def test_whatever_an_attachment_is_called_its_path_tells_no_size(name: str) -> None:
    path = _file(path_name(name, "pdf")).path

    assert PATH.fullmatch(path)
    assert picture_size(path) is None


@given(_NAMES)
def test_a_shown_name_is_one_line_without_folders_or_unseen_characters(name: str) -> None:
    shown = shown_name(name, "pdf")

    assert shown.endswith(".pdf")
    assert len(shown) <= 90
    assert not re.search(r'[\\/:*?"<>|]', shown)
    assert not any(unicodedata.category(one) in {"Cc", "Cf", "Zl", "Zp"} for one in shown)
    assert shown_name(shown, "pdf") == shown


@given(_NAMES)
def test_a_letter_names_its_file_in_its_own_script(name: str) -> None:
    file = _file(path_name(name, "pdf"), shown_name(name, "pdf"))
    words = mail_disposition(file, "attachment")

    assert all(word.isascii() and len(word) <= 77 for word in words)
    field = b"Content-Disposition: " + "\r\n ".join(words).encode()
    read = message_from_bytes(field + b"\r\n\r\n", policy=email.policy.compat32)
    assert read.get_content_disposition() == "attachment"
    assert read.get_filename() == file.shown_name


@given(_NAMES)
def test_a_page_names_its_file_for_old_and_new_browsers(name: str) -> None:
    file = _file(path_name(name, "pdf"), shown_name(name, "pdf"))

    plain, _, extended = page_disposition(file, "attachment").partition("; filename*=utf-8''")

    assert plain == f'attachment; filename="{file.name}"'
    assert unquote(extended) == ("" if file.shown_name == file.name else file.shown_name)
