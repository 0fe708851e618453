"""A token has one purpose, fits a local part, and is worth nothing when altered."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.keyring import Keyring
from mailer.domain.token import TOKEN_CHARACTERS, Purpose, read_token, sign_token
from mailer.errors import TokenRefused

KEYRING = Keyring(b"p" * 32, ((1, b"k" * 32),))
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
numbers = st.integers(0, 2**48 - 1)
purposes = st.sampled_from(list(Purpose))


@given(purposes, numbers)
def test_a_token_says_what_was_signed_even_when_its_case_was_folded(purpose: Purpose, number: int) -> None:
    token = sign_token(KEYRING, purpose, number)

    assert len(token) == TOKEN_CHARACTERS
    assert set(token) <= set(ALPHABET)
    assert read_token(KEYRING, purpose, token) == read_token(KEYRING, purpose, token.upper()) == number


@given(purposes, purposes, numbers)
def test_a_token_is_worth_nothing_for_another_purpose(made_for: Purpose, used_for: Purpose, number: int) -> None:
    if made_for is not used_for:
        with pytest.raises(TokenRefused):
            read_token(KEYRING, used_for, sign_token(KEYRING, made_for, number))


@given(purposes, numbers, st.integers(0, TOKEN_CHARACTERS - 1), st.sampled_from(ALPHABET))
def test_a_token_altered_in_one_character_is_refused(purpose: Purpose, number: int, at: int, letter: str) -> None:
    token = sign_token(KEYRING, purpose, number)
    altered = token[:at] + letter + token[at + 1 :]
    if altered != token:
        with pytest.raises(TokenRefused):
            read_token(KEYRING, purpose, altered)


@given(st.text(max_size=40))
def test_no_text_that_we_did_not_sign_is_a_token(text: str) -> None:
    with pytest.raises(TokenRefused):
        read_token(KEYRING, Purpose.LEAVE, text)


def test_after_a_rotation_old_tokens_hold_and_new_ones_are_signed_with_the_new_key() -> None:
    old = sign_token(KEYRING, Purpose.LEAVE, 7)
    rotated = Keyring(KEYRING.pepper, ((2, b"n" * 32), *KEYRING.keys))
    without = Keyring(KEYRING.pepper, rotated.keys[:1])

    new = sign_token(rotated, Purpose.LEAVE, 7)

    assert read_token(rotated, Purpose.LEAVE, old) == read_token(without, Purpose.LEAVE, new) == 7
    with pytest.raises(TokenRefused, match="no longer hold"):
        read_token(without, Purpose.LEAVE, old)


@given(purposes, numbers)
def test_a_token_is_lower_case_base32_without_padding(purpose: Purpose, number: int) -> None:
    token = sign_token(KEYRING, purpose, number)

    raw = base64.b32decode(token.upper() + "===")
    assert (raw[0], int.from_bytes(raw[2:8], "big")) == (purpose, number)
    assert base64.b32encode(raw).decode().rstrip("=").lower() == token
