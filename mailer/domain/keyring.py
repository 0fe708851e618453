"""The service's secrets: keys that sign tokens, and the pepper that lets us forget people but not their wish."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache

from mailer.errors import SecretUnreadable

KEY_OCTETS = 32


@dataclass(frozen=True, slots=True)
class Keyring:
    """What the secret file holds: the first key signs, all verify; the pepper never rotates."""

    pepper: bytes
    keys: tuple[tuple[int, bytes], ...]
    """(key id 0-255, 32 octets), the signing one first."""

    def suppression_key(self, address_key: str) -> str:
        """HMAC-SHA256 of an address key, hex: names a person in the suppression list even after erasure."""
        return _mac(self.pepper, "suppression", address_key.encode()).hex()

    def fingerprint(self, purpose: str, text: str) -> str:
        """32 hex digits that depend on `text`, the same for ever (Message-IDs, boundaries)."""
        return _mac(self.pepper, purpose, text.encode()).hex()[:32]

    def mac(self, key_id: int, purpose: str, data: bytes) -> bytes | None:
        """SHA-256 HMAC under the key's own subkey for one purpose, or None for a key we do not hold."""
        for held, key in self.keys:
            if held == key_id:
                return _mac(key, purpose, data)
        return None


def parse_keyring(text: str) -> Keyring:
    """Read `pepper:BASE64` and `kid:BASE64` lines; SecretUnreadable names the line that is wrong."""
    pepper: bytes | None = None
    keys: list[tuple[int, bytes]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not (line := line.strip()) or line.startswith("#"):
            continue
        name, _, value = line.partition(":")
        key = _decode(value, number)
        if name == "pepper":
            pepper = key
        elif name.isdecimal() and int(name) < 256 and int(name) not in dict(keys):
            keys.append((int(name), key))
        else:
            raise SecretUnreadable(f"line {number}: {name!r} is neither pepper nor an unused key id from 0 to 255")
    if pepper is None or not keys:
        raise SecretUnreadable("it needs a pepper line and at least one key line")
    return Keyring(pepper, tuple(keys))


def write_keyring(keyring: Keyring) -> str:
    """The secret file's text."""
    lines = [
        "# The secret of this mailer: it signs every link and address in letters already sent.",
        "# Keep a copy: without it no link in them works any more, and without the pepper we forget who left.",
        "# To rotate, add a line with a new number above the others; never remove the pepper.",
        f"pepper:{base64.b64encode(keyring.pepper).decode()}",
        *(f"{key_id}:{base64.b64encode(key).decode()}" for key_id, key in keyring.keys),
    ]
    return "\n".join(lines) + "\n"


def _decode(value: str, line: int) -> bytes:
    try:
        key = base64.b64decode(value, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_OCTETS:
        raise SecretUnreadable(f"line {line}: the key is not {KEY_OCTETS} octets in base64")
    return key


def _mac(key: bytes, purpose: str, data: bytes) -> bytes:
    # Not hmac.digest: it gives the interpreter away at each call, and gets it back only after a busy thread's turn.
    mac = _keyed(key, purpose).copy()
    mac.update(data)
    return mac.digest()


@lru_cache(maxsize=256)
def _keyed(key: bytes, purpose: str) -> hmac.HMAC:
    """HMAC-SHA256 under the subkey that HKDF (RFC 5869) derives for one purpose."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    subkey = HKDF(algorithm=SHA256(), length=KEY_OCTETS, salt=None, info=f"mailer {purpose}".encode()).derive(key)
    return hmac.new(subkey, digestmod=hashlib.sha256)
