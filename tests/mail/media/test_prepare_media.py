from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from mailer.domain.letters.media import MOST_OCTETS
from mailer.errors import MediaRefused
from mailer.mail.media.prepare_media import prepare_media


def _png() -> bytes:
    out = BytesIO()
    Image.new("RGB", (30, 20), "green").save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.exe", "photo", "programme.pdf"])
def test_a_picture_is_one_whatever_its_name_says(name: str) -> None:
    assert prepare_media(_png(), name).media_type == "image/png"


def test_a_text_is_an_attachment() -> None:
    assert prepare_media(b"Bring a basket.\n", "notes.txt").media_type == "text/plain"


@pytest.mark.parametrize(
    ("name", "octets", "words"),
    [
        ("a.png", b"", "is empty"),
        ("a.png", b"no picture", "is no picture"),
        ("a.heic", b"\0\0\0\x18ftypheic", "save it as JPEG or PNG"),
        ("a.svg", b"<svg/>", "save it as JPEG or PNG"),
        ("a.pdf", b"x" * (MOST_OCTETS + 1), "the most is"),
    ],
)
def test_what_letters_cannot_have_is_refused_with_the_cure(name: str, octets: bytes, words: str) -> None:
    with pytest.raises(MediaRefused, match=words):
        prepare_media(octets, name)
