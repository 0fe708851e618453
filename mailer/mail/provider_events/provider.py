"""A provider's credentials, by which its calls are verified: shared secrets, public keys or SNS topics."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from mailer.errors import SecretUnreadable

SHORTEST_SECRET = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Provider:
    """One provider that may call us."""

    name: str
    secrets: tuple[bytes, ...] = field(default=(), repr=False)
    """Each is accepted."""
    public_keys: tuple[EllipticCurvePublicKey, ...] = ()
    topics: tuple[str, ...] = ()
    """ARNs of Amazon SNS."""


def read_secrets(text: str) -> tuple[bytes, ...]:
    """The secrets in a secret file, one a line. Raises SecretUnreadable where there is none, or one is too short."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or any(len(line) < SHORTEST_SECRET or not line.isascii() for line in lines):
        raise SecretUnreadable(f"must hold lines of {SHORTEST_SECRET} or more ASCII characters")
    return tuple(line.encode() for line in lines)


def read_public_keys(texts: Sequence[str]) -> tuple[EllipticCurvePublicKey, ...]:
    """ECDSA keys from base64 DER (SubjectPublicKeyInfo). Raises SecretUnreadable, which names the invalid one."""
    keys = []
    for text in texts:
        try:
            key = load_der_public_key(base64.b64decode(text, validate=True))
        except (ValueError, binascii.Error, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, EllipticCurvePublicKey):
            raise SecretUnreadable(f"{text[:20]!r}... is not an ECDSA key in base64, as SendGrid shows it")
        keys.append(key)
    return tuple(keys)
