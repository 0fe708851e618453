"""Secret words that nobody can guess: in cookies of sessions and links to sign in. Only their hashes are stored."""

from __future__ import annotations

import base64
import hashlib
import re

WORD_OCTETS = 32
_WORD = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def make_word(octets: bytes) -> str:
    """The word for WORD_OCTETS random octets: 43 characters that need no escaping in cookies and links."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def is_word(text: str) -> bool:
    """Whether the text has the form of a word."""
    return _WORD.fullmatch(text) is not None


def hash_word(word: str) -> str:
    """SHA-256 of a word, hex. A word holds 256 random bits, so that the hash needs no salt and no stretching."""
    return hashlib.sha256(word.encode()).hexdigest()
