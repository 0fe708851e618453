"""Header words and bodies in ASCII (RFC 2047, RFC 2045), checked against the standard library's readers."""

from __future__ import annotations

import quopri
import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import getaddresses

from hypothesis import given
from hypothesis import strategies as st

from mailer.mail.message.header_writer import encode_words, format_field, format_phrase, format_text_field
from mailer.mail.message.quoted_printable import SOFT_BREAK, encode_quoted_printable

PRINTABLE = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=200)
LINES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r"), max_size=300)


def read_back(field: bytes) -> str:
    message = message_from_bytes(field + b"\r\n", policy=policy.default)
    return str(message["Subject"])


@given(PRINTABLE)
def test_any_subject_is_decoded_to_the_same_text_with_single_spaces(text):
    field = format_text_field("Subject", text)

    assert read_back(field) == " ".join(text.split())
    assert all(len(line) <= 78 for line in field.split(b"\r\n"))
    assert not re.search(rb"\r\n[ \t]*\r\n", field)


@given(PRINTABLE)
def test_no_encoded_word_is_longer_than_the_rfc_allows_or_breaks_a_character(text):
    for word in encode_words(text):
        assert len(word) <= 75
        assert "\ufffd" not in read_back(f"Subject: {word}\r\n".encode())


@given(PRINTABLE.filter(str.strip))
def test_any_display_name_leaves_the_address_readable(title):
    field = format_field("From", [*format_phrase(title), "<appeals@lists.example.org>"])

    [(name, address)] = getaddresses([message_from_bytes(field + b"\r\n")["From"]])
    assert address == "appeals@lists.example.org"
    assert str(make_header(decode_header(name))) == " ".join(title.split())


def test_mostly_latin_words_stay_nearly_readable():
    assert encode_words("Köln ruft") == ["=?utf-8?q?K=C3=B6ln_ruft?="]
    assert encode_words("نداء")[0].startswith("=?utf-8?b?")


def test_text_that_looks_like_an_encoded_word_is_encoded():
    assert read_back(format_text_field("Subject", "=?utf-8?q?Tea?=")) == "=?utf-8?q?Tea?="


@given(st.lists(LINES, min_size=1, max_size=4))
def test_pieces_joined_by_soft_breaks_decode_to_the_text(texts):
    encoded = SOFT_BREAK.join(encode_quoted_printable(text) for text in texts)

    assert quopri.decodestring(encoded).decode().replace("\r\n", "\n") == "".join(texts)
    assert max(map(len, encoded.split(b"\r\n"))) <= 76
    assert not re.search(rb"[^ -~\r\n]|[ \t]\r\n|(?<!\r)\n|\r(?!\n)|=_", encoded)
    assert not re.search(rb"[ \t][ \t]", encoded)


def test_lines_that_servers_tamper_with_are_guarded():
    assert encode_quoted_printable("From here\n.\n.dot") == b"=46rom here\r\n=2E\r\n=2Edot"
    assert encode_quoted_printable("From here") == b"=46rom here"
