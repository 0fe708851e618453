"""DKIM keys of other domains in the DNS (RFC 6376 section 3.6.1): which ones count for a signature."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from mailer.mail.dkim.signature_header import DkimSignatureHeader
from mailer.mail.dkim.signing import MINIMUM_KEY_BITS
from mailer.mail.dkim.tag_list import parse_tag_list, split_values

_LONGEST_BITS, _LONGEST_EXPONENT_BITS = 4096, 64
"""RFC 8301 section 3.2; longer keys only cost verifiers time."""


def find_key_record(texts: Sequence[str]) -> str | None:
    """The one TXT record that holds a key; None if there is none, or more than one (section 3.6.2.2)."""
    keys = [text for text in texts if "p" in parse_tag_list(text)]
    return keys[0] if len(keys) == 1 else None


def key_refusal_reason(record: str, signature: DkimSignatureHeader) -> str | None:
    """Why this key cannot authenticate the signature, for people to read; None if it can."""
    tags = parse_tag_list(record)
    flags = split_values(tags.get("t", ""))
    if (
        tags.get("v", "DKIM1") != "DKIM1"
        or tags.get("k", "rsa") != "rsa"
        or not {"*", "email"} & split_values(tags.get("s", "*"))
    ):
        return "the key is of a kind not known here"
    if "sha256" not in split_values(tags.get("h", "sha256")):
        return "the key is not for SHA-256"
    if not tags["p"]:
        return "the key is revoked"
    if "y" in flags:
        return "the domain only tests DKIM"
    if "s" in flags and signature.identity != signature.domain:
        return "the key is not for subdomains"
    return _key_size_refusal_reason(tags["p"])


def _key_size_refusal_reason(value: str) -> str | None:
    try:
        key = load_der_public_key(base64.b64decode("".join(value.split()), validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return "the key cannot be read"
    if not isinstance(key, RSAPublicKey):
        return "the key is not of RSA"
    if (
        not MINIMUM_KEY_BITS <= key.key_size <= _LONGEST_BITS
        or key.public_numbers().e.bit_length() > _LONGEST_EXPONENT_BITS
    ):
        return f"the key has {key.key_size} bits"
    return None
