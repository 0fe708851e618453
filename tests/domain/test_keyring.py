"""The secret file: its keys, its pepper, and the MACs made of them."""

from __future__ import annotations

import hmac

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.keyring import Keyring, parse_keyring, write_keyring
from mailer.errors import SecretUnreadable

KEYRING = Keyring(b"p" * 32, ((1, b"k" * 32),))


def test_suppression_keys_do_not_change_when_keys_are_rotated() -> None:
    rotated = Keyring(KEYRING.pepper, ((2, b"n" * 32),))

    assert KEYRING.suppression_key("rosa@example.org") == rotated.suppression_key("rosa@example.org")
    assert KEYRING.suppression_key("rosa@example.org") != KEYRING.suppression_key("emma@example.org")


@given(st.binary(min_size=32, max_size=32), st.text(max_size=20), st.binary(max_size=200))
def test_a_mac_is_an_hmac_under_the_subkey_of_its_purpose(key: bytes, purpose: str, data: bytes) -> None:
    subkey = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"mailer {purpose}".encode()).derive(key)

    mac = Keyring(b"p" * 32, ((1, key),)).mac(1, purpose, data)

    assert mac == hmac.digest(subkey, data, "sha256")


def test_a_keyring_is_read_as_it_was_written() -> None:
    assert parse_keyring(write_keyring(KEYRING)) == KEYRING


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "pepper"),
        ("pepper:c2hvcnQ=", "line 1"),
        ("# fine\nnonsense", "line 2"),
        (write_keyring(KEYRING) + "1:" + "a" * 43 + "=\n", "1"),
        (write_keyring(KEYRING) + "300:" + "a" * 43 + "=\n", "300"),
    ],
)
def test_the_error_names_the_line_that_is_wrong(text: str, message: str) -> None:
    with pytest.raises(SecretUnreadable, match=message):
        parse_keyring(text)
