"""A token has one purpose, fits a local part, and is worth nothing when altered."""

from __future__ import annotations

import base64
import hmac

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.command_address import Command, parse_local_part
from mailer.domain.keyring import Keyring, parse_keyring, write_keyring
from mailer.domain.mailing_list import MAX_NAME_OCTETS, check_list_name
from mailer.domain.token import TOKEN_CHARACTERS, Purpose, read_token, sign_token
from mailer.errors import ListNameRefused, SecretUnreadable, TokenRefused

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


def test_a_person_is_known_to_the_suppression_list_whatever_keys_are_rotated() -> None:
    rotated = Keyring(KEYRING.pepper, ((2, b"n" * 32),))

    assert KEYRING.suppression_key("rosa@example.org") == rotated.suppression_key("rosa@example.org")
    assert KEYRING.suppression_key("rosa@example.org") != KEYRING.suppression_key("emma@example.org")


@given(st.binary(min_size=32, max_size=32), st.text(max_size=20), st.binary(max_size=200))
def test_a_mac_is_an_hmac_under_the_subkey_of_its_purpose(key: bytes, purpose: str, data: bytes) -> None:
    subkey = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"mailer {purpose}".encode()).derive(key)

    mac = Keyring(b"p" * 32, ((1, key),)).mac(1, purpose, data)

    assert mac == hmac.digest(subkey, data, "sha256")


@given(purposes, numbers)
def test_a_token_is_lower_case_base32_without_padding(purpose: Purpose, number: int) -> None:
    token = sign_token(KEYRING, purpose, number)

    raw = base64.b32decode(token.upper() + "===")
    assert (raw[0], int.from_bytes(raw[2:8], "big")) == (purpose, number)
    assert base64.b32encode(raw).decode().rstrip("=").lower() == token


def test_the_secret_file_is_read_as_it_was_written() -> None:
    assert parse_keyring(write_keyring(KEYRING)) == KEYRING


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "pepper"),
        ("pepper:c2hvcnQ=", "line 1"),
        ("# fine\nnonsense", "line 2"),
        (write_keyring(KEYRING) + "1:" + "a" * 43 + "=\n", "1"),
        (write_keyring(KEYRING) + "300:" + "a" * 43 + "=\n", "300"),
    ],
)
def test_a_damaged_secret_is_told_by_line(text: str, told: str) -> None:
    with pytest.raises(SecretUnreadable, match=told):
        parse_keyring(text)


@given(st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,2}", fullmatch=True))
def test_a_list_and_its_command_addresses_are_never_mistaken_for_another(name: str) -> None:
    try:
        check_list_name(name)
    except ListNameRefused:
        return
    token = sign_token(KEYRING, Purpose.CONFIRM, 1)

    parsed = {local: parse_local_part(local) for local in (name, f"{name}-join", f"{name}-confirm+{token}")}

    assert [(one.list_name, one.command) for one in parsed.values()] == [
        (name, Command.POST),
        (name, Command.JOIN),
        (name, Command.CONFIRM),
    ]
    assert parse_local_part(f"{name}-join-pt-br").language == "pt-br"
    assert max(map(len, parsed)) <= 64


@pytest.mark.parametrize(
    "name",
    ["appeals-join", "appeals-owner", "appeals-subscribe-tr", "a-request", "postmaster", "bounce", "abuse", "Appeals",
     "two words", "a--b", "-a", "x" * (MAX_NAME_OCTETS + 1), "", "ümlaut", "a.b", "a+b"],
)  # fmt: skip
def test_a_name_that_would_shadow_a_command_address_or_is_none_is_refused(name: str) -> None:
    with pytest.raises(ListNameRefused):
        check_list_name(name)


def test_the_longest_name_and_a_token_still_fit_a_local_part() -> None:
    name = check_list_name("x" * MAX_NAME_OCTETS)

    assert len(f"{name}-confirm+{sign_token(KEYRING, Purpose.CONFIRM, 1)}") <= 64
