"""Letters of archives: no addresses in them however they are written, and no mail that stops an import."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import TableRefused
from mailer.importers.letters.mail_letter import MASK, mask_addresses, read_mail_letter

DATE = "Mon, 2 Jan 2023 10:00:00 +0000"


def mail(*, date: str = DATE, author: str = "Ada <ada@example.org>", subject: str = "Seeds") -> bytes:
    """A mail with a short text."""
    return f"Date: {date}\nFrom: {author}\nSubject: {subject}\n\nBring seeds.\n".encode()


@pytest.mark.parametrize(
    "address",
    [
        "rosa@example.org",
        "rosa at example.org",
        "rosa AT example dot org",
        "rosa (at) example.org",
        "rosa[at]example[dot]org",
        "rosa <at> example.org",
        "rosa_at_example.org",
        "rosa--at--example.org",
        "rosa%40example.org",
        "rosa%2Bseeds%2540example.org",
        "rosa&#64;example.org",
        "rosa @ example.org",
        "rosa@\nexample.org",
        "rosa＠example。org",
        "почта@пример.рф",
        "rosa@xn--e1afmkfd.xn--p1ai",
        "rosa@[192.0.2.1]",
        "rosa=example.org@lists.example.org",
        '"rosa luxemburg"@example.org',
        "o'brien@example.org",
        "a" * 70 + "@example.org",
        "rosa@" + "a." * 20 + "org",
    ],
)
@pytest.mark.parametrize("around", ["{}", "Ask {}, please", "(https://lists.example.org/options/talk/{})", "_{}_"])
def test_addresses_are_masked_however_they_are_written(address: str, around: str) -> None:
    masked = mask_addresses(around.format(address))

    assert MASK in masked
    assert "rosa" not in masked.lower()
    assert masked.replace("options", "").replace("lists.example.org", "").replace(MASK, "").count("org") == 0


@given(st.text())
def test_texts_without_addresses_stay(text: str) -> None:
    for sign in ("@", "\uff20", "%40", "%2540", "&#64;", "&#x40;", "--at--", "_at_"):
        text = text.replace(sign, "")
    plain = text if "at" not in text.lower() else ""

    assert mask_addresses(plain) == plain


@pytest.mark.parametrize("date", ["Fri, 31 Dec 9999 23:59:59 +0000", "Mon, 1 Jan 2199 00:00:00 +0000"])
def test_letters_of_impossible_years_are_left_out(date: str) -> None:
    with pytest.raises(TableRefused, match="without a date"):
        read_mail_letter(mail(date=date))


def test_deeply_nested_comments_of_an_author_stop_nothing() -> None:
    assert read_mail_letter(mail(author="(" * 5_000 + " <ada@example.org>")).text == "Bring seeds."


def test_subjects_are_shown_in_the_order_they_are_written_in() -> None:
    assert read_mail_letter(mail(subject="abc\u202edef\u200b")).subject == "abcdef"
