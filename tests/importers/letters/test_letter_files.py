"""Archives of other software: what is read of them, what is left behind and said, and what never gets out."""

from __future__ import annotations

import gzip
import io
import mailbox
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.domain.letters.earlier_letter import EarlierLetter
from mailer.errors import TableRefused
from mailer.importers.bad_row import LeftBehind
from mailer.importers.letters.letter_files import read_letters
from mailer.importers.letters.mail_letter import MASK, mask_addresses
from mailer.importers.letters.mbox import split_mbox
from mailer.importers.source_files import SourceFile

NOV_2 = datetime(2026, 11, 2, 9, tzinfo=UTC)


def source(name: str, content: bytes) -> SourceFile:
    return SourceFile(name=name, size=len(content), open=lambda: io.BytesIO(content))


def mail(text: str = "Bring your own.", **fields: str) -> EmailMessage:
    message = EmailMessage()
    given = {
        "From": "Ada Okafor <ada@example.org>",
        "Date": "Mon, 02 Nov 2026 09:00:00 +0000",
        "Subject": "Seeds",
        "Message-ID": "<seeds@example.org>",
    } | {name.replace("_", "-"): value for name, value in fields.items()}
    for name, value in given.items():
        if value:
            message[name] = value
    message.set_content(text)
    return message


def written_mbox(path: Path, *mails: EmailMessage) -> bytes:
    """As the standard library writes it."""
    box = mailbox.mbox(path)
    for one in mails:
        box.add(one)
    box.close()
    return path.read_bytes()


def letters(*files: SourceFile) -> list[EarlierLetter]:
    return [one for one in read_letters(files) if isinstance(one, EarlierLetter)]


def left_behind(*files: SourceFile) -> list[LeftBehind]:
    return [one for one in read_letters(files) if isinstance(one, LeftBehind)]


def test_an_mbox_is_read_mail_by_mail(tmp_path: Path) -> None:
    content = written_mbox(
        tmp_path / "talk.mbox",
        mail("From here on we sow.\n\n\n\n\nRosa (rosa@example.org, or rosa at example.org) knows."),
        mail("Çok ürün var.", Subject="Hasat güzel", Message_ID="<harvest@example.org>", From="ada@example.org"),
    )

    first, second = letters(source("talk.mbox", content))

    assert first == EarlierLetter(
        message_id="seeds@example.org",
        sent_at=NOV_2,
        subject="Seeds",
        author="Ada Okafor",
        text=f"From here on we sow.\n\nRosa ({MASK}, or {MASK}) knows.",
        number=0,
    )
    assert (second.subject, second.text, second.author, second.number) == ("Hasat güzel", "Çok ürün var.", None, 1)


def test_packed_mboxes_folders_of_mails_and_html_mails_are_read(tmp_path: Path) -> None:
    html = mail("")
    html.set_content("<style>p{}</style><p>Bring <b>seeds</b>.</p><script>alert(1)</script>", subtype="html")
    packed = gzip.compress(written_mbox(tmp_path / "box", mail("Packed.")))
    files = [source(f"archive/{number}", mail(f"Number {number}.").as_bytes()) for number in (10, 2)]

    found = letters(source("2026-11.mbox.gz", packed), *files, source("html.eml", html.as_bytes()))

    assert [(one.text, one.number) for one in found] == [
        ("Number 2.", 2),
        ("Number 10.", 10),
        ("Bring seeds.", None),
        ("Packed.", 0),
    ]


def test_what_cannot_be_read_is_named_and_stops_nothing(tmp_path: Path) -> None:
    mails = [mail(Date=""), mail("", Subject=""), mail("Kept.")]
    cut = gzip.compress(written_mbox(tmp_path / "cut", *(mail(f"{n} " * 999, Subject=str(n)) for n in range(9))))[:-90]

    found = left_behind(source("box", written_mbox(tmp_path / "box", *mails)), source("cut.mbox.gz", cut))

    assert [(one.place, one.reason) for one in found[:2]] == [
        ("box, mail 1", "a mail without a date: left out"),
        ("box, mail 2", "a mail without a text: left out"),
    ]
    assert (found[2].place, found[2].reason[:9]) == ("cut.mbox.gz", "is broken")


def test_pages_of_campaigns_get_their_dates_from_their_table() -> None:
    table = (
        b"Title,Subject,List,Send Date,Total Recipients,Unique Id\n"
        b'Spring news,"Spring, at last",Appeals,"Mar 02, 2024 09:30 am",210,3f2a\n'
    )
    page = b"<html><head><title>x</title></head><body><h1>Spring</h1><p>Write to ada@example.org</p></body></html>"

    found = list(
        read_letters(
            [
                source("campaigns/campaigns.csv", table),
                source("campaigns/17_spring-news.html", page),
                source("campaigns/18_unsent.html", page),
            ]
        )
    )

    (letter, missing) = found
    assert isinstance(letter, EarlierLetter)
    assert (letter.subject, letter.sent_at.date().isoformat()) == ("Spring, at last", "2024-03-02")
    assert "Spring" in letter.text
    assert "example.org" not in letter.text
    assert missing == LeftBehind("campaigns/18_unsent.html", "no table of campaigns says when it was sent: left out")


def test_files_without_letters_are_refused_or_named() -> None:
    content = b"email,name\nrosa@example.org,Rosa\n"

    for name in ("people.csv", "notes.txt"):
        with pytest.raises(TableRefused, match="holds no letters"):
            list(read_letters([source(name, content)]))
    assert [one.place for one in left_behind(source("page.html", content))] == ["page.html"]


@given(st.binary(max_size=400), st.sampled_from(["x.mbox", "x.html", "7", "campaigns.csv", "x.mbox.gz"]), st.booleans())
def test_any_octets_are_read_or_refused(content: bytes, name: str, begins_well: bool) -> None:
    head = b"From a@b Mon Nov  2 09:00:00 2026\nDate: Mon, 02 Nov 2026 09:00:00 +0000\nFrom: " if begins_well else b""
    try:
        found = list(read_letters([source(name, head + content)]))
    except TableRefused:
        return
    assert all(isinstance(one, EarlierLetter | LeftBehind) for one in found)
    assert not any("\0" in one.text + one.subject for one in found if isinstance(one, EarlierLetter))


LINES = st.lists(st.sampled_from(["From here on", "From ada@example.org 2026", ">From", "", "x"]), max_size=5)


@settings(max_examples=50)
@given(st.lists(LINES.map("\n".join), max_size=4))
def test_a_written_mbox_is_split_as_it_was_put_together(texts: list[str]) -> None:
    mails = [f"Subject: {number}\n\n{text}\n".encode() for number, text in enumerate(texts)]
    quoted = [re.sub(rb"(?m)^(>*From )", rb">\1", one) for one in mails]
    box = b"".join(b"From ada@example.org Mon Nov  2 09:00:00 2026\n" + one + b"\n" for one in quoted)

    assert list(split_mbox(io.BytesIO(box))) == [one + b"\n" for one in mails]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rosa@example.org", MASK),
        ("<rosa.lind+x@mail.example.co.uk>.", f"<{MASK}>."),
        ("rosa at example.org", MASK),
        ("at example.org we meet", "at example.org we meet"),
        ("https://example.org/@rosa/1", "https://example.org/@rosa/1"),
        ("3@4", "3@4"),
    ],
)
def test_addresses_are_masked(text: str, shown: str) -> None:
    assert mask_addresses(text) == shown


def test_a_file_with_a_long_number_for_a_name_has_no_number() -> None:
    octets = mail().as_bytes()

    assert [one.number for one in letters(source("9" * 20, octets))] == [None]
    assert [one.number for one in letters(source("000012", octets))] == [12]


def test_a_packed_file_that_unpacks_without_end_is_named() -> None:
    head = b"From ada@example.org Mon Nov  2 09:00:00 2026\nDate: Mon, 02 Nov 2026 09:00:00 +0000\n\n"
    bomb = gzip.compress(head + (b"a" * 65_535 + b"\n") * 500)

    assert "MiB unpacked" in left_behind(source("talk.mbox.gz", bomb))[-1].reason
