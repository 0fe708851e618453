"""A provider's secrets and public keys are read, and weak or invalid ones are refused."""

from __future__ import annotations

import base64

import pytest

from mailer.errors import SecretUnreadable
from mailer.mail.provider_events.provider import read_public_keys, read_secrets


def test_short_or_empty_secrets_are_refused():
    assert read_secrets("\n a-long-enough-key \n\nand-another-long-one\n") == (
        b"a-long-enough-key",
        b"and-another-long-one",
    )
    for text in ("", "\n", "too-short", "a-long-enough-key\nshort", "ä" * 20):
        with pytest.raises(SecretUnreadable, match="16 or more"):
            read_secrets(text)


@pytest.mark.parametrize("text", ["", "!", "AAAA", base64.b64encode(b"x" * 91).decode()])
def test_an_invalid_public_key_is_refused(text):
    with pytest.raises(SecretUnreadable, match="not an ECDSA key"):
        read_public_keys([text])
