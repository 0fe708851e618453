"""Codes and links of sign-in letters, and which pages may be shown after signing in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.accounts.sign_in import (
    CODE_LENGTH,
    hash_code,
    letter_secrets,
    parse_code,
    parse_next_path,
    show_code,
)
from mailer.domain.keyring import Keyring

KEYRING, OTHER = Keyring(b"p" * 32, ((1, b"k" * 32),)), Keyring(b"q" * 32, ((1, b"k" * 32),))
NONCES = st.binary(min_size=16, max_size=16).map(bytes.hex)
NOISE = st.text(" -\t\u00a0\u2011._", max_size=3)


@given(NONCES, st.lists(NOISE, min_size=CODE_LENGTH + 1, max_size=CODE_LENGTH + 1), st.lists(st.booleans(), min_size=8))
def test_a_code_is_read_whatever_its_case_spaces_and_hyphens(nonce: str, noise: list[str], low: list[bool]) -> None:
    code = letter_secrets(KEYRING, nonce).code
    cased = [letter.lower() if small else letter for letter, small in zip(code, low, strict=False)]

    assert parse_code("".join(noise[at] + letter for at, letter in enumerate(cased)) + noise[-1]) == code
    assert parse_code(show_code(code)) == code


@given(NONCES)
def test_a_code_is_no_word_and_nothing_in_it_looks_like_a_digit(nonce: str) -> None:
    assert not set(letter_secrets(KEYRING, nonce).code) & set("AEIOUL0123456789")


@given(NONCES, NONCES)
def test_letters_differ_by_their_nonce_and_by_the_secret_of_the_service(one: str, other: str) -> None:
    assert letter_secrets(KEYRING, one) == letter_secrets(KEYRING, one)
    assert letter_secrets(KEYRING, one) != letter_secrets(OTHER, one)
    assert (letter_secrets(KEYRING, one) == letter_secrets(KEYRING, other)) == (one == other)


@given(NONCES)
def test_a_code_counts_for_its_own_sign_in_only(nonce: str) -> None:
    code = letter_secrets(KEYRING, nonce).code

    assert hash_code(KEYRING, 1, code) != hash_code(KEYRING, 2, code)


@pytest.mark.parametrize(
    "text", ["", "BCDF", "BCDFGHJKM", "BCDF-GHJA", "BCDF-GHJ1", "БCDFGHJK", "B" * 10_000, "\x00" * 8]
)
def test_other_texts_are_no_codes(text: str) -> None:
    assert parse_code(text) is None


@given(st.text(max_size=200))
def test_any_text_is_a_code_or_none(text: str) -> None:
    code = parse_code(text)

    assert code is None or parse_code(code) == code


@pytest.mark.parametrize("path", ["/console", "/console/campaigns/7/write/pt-br?x=1", "/console/lists/appeals"])
def test_pages_of_the_console_may_be_shown_next(path: str) -> None:
    assert parse_next_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "/",
        "/consoles",
        "//evil.example/console",
        "/console//evil.example",
        "/console/../leave/x",
        "https://evil.example/console",
        "/console/\\evil.example",
        "/console\r\nSet-Cookie: x=1",
        "/console/" + "x" * 500,
        "javascript:alert(1)",
    ],
)
def test_no_other_place_may_be_shown_next(path: str | None) -> None:
    assert parse_next_path(path) is None
