"""Hides the tokens of a letter from whoever looks at it and is not its reader."""

from __future__ import annotations

import re

from mailer.domain.keyring import Keyring
from mailer.domain.token import TOKEN_CHARACTERS, Purpose, read_any_token
from mailer.errors import TokenRefused

_TOKEN = re.compile(rb"(?<![a-z2-7])[a-z2-7]{%d}(?![a-z2-7])" % TOKEN_CHARACTERS)
_MASK = b"x" * TOKEN_CHARACTERS
"""As long as a token, so that the lines of a letter stay as they were; no token is all x."""


def mask_tokens(keyring: Keyring, content: bytes) -> bytes:
    """The octets of a letter with `x` in place of each token of ours, whatever it was made for."""

    def mask(found: re.Match[bytes]) -> bytes:
        try:
            read_any_token(keyring, Purpose, found[0].decode())
        except TokenRefused:
            return found[0]
        return _MASK

    return _TOKEN.sub(mask, content)
