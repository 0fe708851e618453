"""The DNS record that publishes our DKIM key (RFC 6376 section 3.6.1): written for a zone file, and checked."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from mailer.domain.health_check import HealthCheck, fail, ok, warn
from mailer.mail.dkim.signing import RECOMMENDED_KEY_BITS, Signer
from mailer.mail.dkim.tag_list import parse_tag_list, split_values

_STRING_OCTETS = 255
"""Maximum length of one string of a TXT record (RFC 1035 section 3.3.14)."""


def format_key_record(signer: Signer) -> str:
    """The value of the TXT record of this key, in one piece."""
    octets = signer.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={base64.b64encode(octets).decode()}"


def format_zone_line(name: str, text: str) -> str:
    """A TXT record as a line of a zone file, with its text in strings of at most 255 octets."""
    strings = [f'"{text[at : at + _STRING_OCTETS]}"' for at in range(0, len(text), _STRING_OCTETS)]
    return f"{name}. IN TXT ( {' '.join(strings)} )"


def check_key_record(signer: Signer, texts: Sequence[str]) -> HealthCheck:
    """Whether signatures verify with these TXT records, which were found at the signer's record name."""
    check = f"dkim {signer.record_name}"
    publish = f"Publish: {format_zone_line(signer.record_name, format_key_record(signer))}"
    if not texts:
        return fail(check, "there is no TXT record", publish)
    if len(texts) > 1:
        return fail(check, f"there are {len(texts)} TXT records; receivers may take either", f"Keep one. {publish}")
    tags = parse_tag_list(texts[0])
    if reason := _record_refusal_reason(tags):
        return fail(check, reason, publish)
    if _parse_public_key(tags["p"]) != signer.key.public_key():
        return fail(check, "another key is published than the one we sign with", publish)
    return _check_matching_key(check, signer, tags)


def _record_refusal_reason(tags: dict[str, str]) -> str | None:
    """Why no verifier uses this record, whatever its key; None if they may."""
    if tags.get("v", "DKIM1") != "DKIM1" or ("v" in tags and next(iter(tags)) != "v"):
        return "the record does not begin with v=DKIM1"
    if "p" not in tags:
        return "the record has no p= with a key"
    if not tags["p"]:
        return "the key is revoked (p= is empty)"
    if tags.get("k", "rsa").lower() != "rsa":
        return f"the record is for {tags['k']} keys, ours is RSA"
    if "h" in tags and "sha256" not in split_values(tags["h"]):
        return f"the record allows h={tags['h']} only, we sign with sha256"
    if not {"*", "email"} & split_values(tags.get("s", "*")):
        return f"the record is for s={tags['s']}, not for email"
    return None


def _check_matching_key(check: str, signer: Signer, tags: dict[str, str]) -> HealthCheck:
    if signer.key.key_size < RECOMMENDED_KEY_BITS:
        remedy = "Make a longer key with `mailer dkim new` under another selector."
        return warn(check, f"the key matches, but has only {signer.key.key_size} bits", remedy)
    if "y" in split_values(tags.get("t", "")):
        remedy = "Take y out of the record's t= once letters arrive signed."
        return warn(check, "the key matches, but t=y says that we only test", remedy)
    return ok(check, f"the key matches ({signer.key.key_size} bits)")


def _parse_public_key(value: str) -> RSAPublicKey | None:
    """The RSA key in p=, or None for anything else. White space is ignored: zone editors put it into long values."""
    try:
        key = load_der_public_key(base64.b64decode("".join(value.split()), validate=True))
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPublicKey) else None
