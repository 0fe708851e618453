"""The service's secrets: keys that sign tokens, and the pepper that names people who were erased."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from functools import lru_cache

from mailer.errors import SecretUnreadable

KEY_OCTETS = 32
_BLOCK_OCTETS = hashlib.sha256().block_size
_INNER, _OUTER = (bytes(octet ^ pad for octet in range(256)) for pad in (0x36, 0x5C))


@dataclass(frozen=True, slots=True)
class Keyring:
    """The content of the secret file: the first key signs, all keys verify; the pepper never changes."""

    pepper: bytes
    keys: tuple[tuple[int, bytes], ...]
    """(key id 0-255, 32 octets), the signing one first."""

    def suppression_key(self, address_key: str) -> str:
        """HMAC-SHA256 of an address key, hex: names a person in the suppression list even after erasure."""
        return _mac(self.pepper, "suppression", address_key.encode()).hex()

    def fingerprint(self, purpose: str, text: str) -> str:
        """32 hex digits that depend only on pepper, purpose and `text` (Message-IDs, MIME boundaries)."""
        return _mac(self.pepper, purpose, text.encode()).hex()[:32]

    @property
    def secret_id(self) -> str:
        """8 hex digits by which two services see whether their suppression keys are made with the same secret."""
        return _mac(self.pepper, "secret id", b"").hex()[:8]

    def mac(self, key_id: int, purpose: str, data: bytes) -> bytes | None:
        """SHA-256 HMAC under the key's subkey for this purpose, or None for a key that is not held."""
        for held, key in self.keys:
            if held == key_id:
                return _mac(key, purpose, data)
        return None


def parse_keyring(text: str) -> Keyring:
    """Read `pepper:BASE64` and `key id:BASE64` lines. Raises SecretUnreadable, naming the line that is wrong."""
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
    """The text of the secret file."""
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
    # RFC 2104 from two hashes that already hold the key: half the time of copying an hmac.HMAC; and hmac.digest would
    # release the GIL, which a busy thread then keeps for its turn.
    inner, outer = _subkey_hashes(key, purpose)
    inside, outside = inner.copy(), outer.copy()
    inside.update(data)
    outside.update(inside.digest())
    return outside.digest()


@lru_cache(maxsize=256)
def _subkey_hashes(key: bytes, purpose: str) -> tuple[hashlib._Hash, hashlib._Hash]:
    """The two hashes of HMAC-SHA256 under the subkey that HKDF (RFC 5869) derives for one purpose."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    subkey = HKDF(algorithm=SHA256(), length=KEY_OCTETS, salt=None, info=f"mailer {purpose}".encode()).derive(key)
    block = subkey.ljust(_BLOCK_OCTETS, b"\0")
    return hashlib.sha256(block.translate(_INNER)), hashlib.sha256(block.translate(_OUTER))
