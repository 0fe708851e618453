"""Tokens: signed words in links and addresses, each made for one purpose."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable
from contextlib import suppress
from enum import IntEnum

from mailer.domain.keyring import Keyring
from mailer.errors import TokenRefused

TOKEN_CHARACTERS = 29
NOBODY = 0
"""The number in the tokens of test letters and previews: no subscription and no delivery has it."""
_ID_OCTETS, _MAC_OCTETS = 6, 10
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(140, -1, -10)
_SPARE_BITS = 6
"""What 15 pairs of 5 bits each have room for beyond 18 octets."""


class Purpose(IntEnum):
    """What a token is for. The number is its first octet, and the name derives the key: change neither."""

    CONFIRM = 1
    """Names a subscription that waits to be confirmed."""
    LEAVE = 2
    """Names the subscription to end; never expires. It is in links and in List-Unsubscribe, which mail programs use
    automatically (RFC 2369, RFC 8058): whoever has it acts for the reader."""
    REJOIN = 3
    """Names the subscription to confirm again."""
    RETURN_PATH = 4
    """Names the delivery that bounced."""
    REPLY = 5
    """Names the subscription of the person who replies to a letter; never expires."""
    NEVER = 6
    """Names the subscription of a person who was asked to confirm and never wants to be asked again."""
    LEAVE_REPLY = 7
    """Names the subscription of a person who was asked whether to unsubscribe, in the reply address: only an answer in
    words counts there."""
    COMPLAINT = 8
    """Names the delivery that a provider reports as complained about (CFBL-Feedback-ID, RFC 9477): it says nothing
    about bounces."""
    VIEW = 9
    """Names the subscription of a reader who opens letters in a browser, where only subscribers may; it can do nothing
    else."""


_KEY_PURPOSES = {purpose: f"token {purpose.name}" for purpose in Purpose}


def sign_token(keyring: Keyring, purpose: Purpose, number: int) -> str:
    """A token: 29 characters of lower-case base32.

    They are purpose, key id, number (6 octets) and MAC (10 octets). Lower case, since some systems case-fold local
    parts.
    """
    key_id = keyring.keys[0][0]
    head = bytes((purpose, key_id)) + number.to_bytes(_ID_OCTETS, "big")
    return _encode(head + _mac(keyring, key_id, purpose, head))


def read_token(keyring: Keyring, purpose: Purpose, text: str) -> int:
    """The number in a token made for `purpose`. Raises TokenRefused for anything else."""
    raw = _decode(text.lower())
    head, mac = raw[: 2 + _ID_OCTETS], raw[2 + _ID_OCTETS :]
    if head[0] != purpose or not hmac.compare_digest(mac, _mac(keyring, head[1], purpose, head)):
        raise TokenRefused("this link or address was altered, or was made for something else")
    return int.from_bytes(head[2:], "big")


def read_any_token(keyring: Keyring, purposes: Iterable[Purpose], text: str) -> tuple[Purpose, int]:
    """Which of the purposes a token was made for, and its number. Raises TokenRefused if it was made for none."""
    for purpose in purposes:
        with suppress(TokenRefused):
            return purpose, read_token(keyring, purpose, text)
    raise TokenRefused("this link or address was altered, or was made for something else")


def _mac(keyring: Keyring, key_id: int, purpose: Purpose, head: bytes) -> bytes:
    mac = keyring.mac(key_id, _KEY_PURPOSES[purpose], head)
    if mac is None:
        raise TokenRefused("this link or address was signed with a key we no longer hold")
    return mac[:_MAC_OCTETS]


def _encode(raw: bytes) -> str:
    # A third of the time of base64.b32encode: 18 octets are 15 pairs of characters without the last one.
    bits = int.from_bytes(raw, "big") << _SPARE_BITS
    return "".join([_PAIRS[bits >> place & 1023] for place in _SHIFTS])[:TOKEN_CHARACTERS]


def _decode(text: str) -> bytes:
    raw = b""
    if len(text) == TOKEN_CHARACTERS and text.isascii():
        try:
            raw = base64.b32decode(text.upper() + "===")
        except binascii.Error:
            raw = b""
    # 29 characters carry one bit more than 18 octets: only the canonical spelling counts.
    if not raw or _encode(raw) != text:
        raise TokenRefused("this link or address was altered")
    return raw
