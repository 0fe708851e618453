"""DKIM signing of letters (RFC 6376).

Letters are composed so that relaxed canonicalization does not change their bodies, which makes signing quick.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mailer.errors import DkimKeyRefused
from mailer.mail.dkim.canonicalization import canonicalize_body
from mailer.mail.message.letter import Letter

MINIMUM_KEY_BITS, RECOMMENDED_KEY_BITS = 1024, 2048
"""RSA key sizes (RFC 8301 section 3.2): verifiers refuse shorter keys; signers should use at least the second."""

_OVERSIGNED_NAMES = (b"from", b"to", b"subject", b"date")
_SIGNED_NAMES = frozenset(
    b"from to subject date message-id mime-version content-type list-id list-help list-owner list-subscribe list-post"
    b" list-unsubscribe list-unsubscribe-post feedback-id cfbl-address cfbl-feedback-id reply-to in-reply-to references"
    b" auto-submitted precedence".split()
)
_COLUMNS = 76
_PADDING, _HASH = PKCS1v15(), SHA256()
_SPACES = re.compile(rb"[ \t]+")
_FROM = re.compile(rb"(?:\A|\r\n)From[ \t]*:((?:[^\r]|\r\n[ \t])*)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Signer:
    """A signing domain and its private key; the public key is published at `selector._domainkey.domain`."""

    domain: str
    selector: str
    key: RSAPrivateKey = field(repr=False)

    @property
    def record_name(self) -> str:
        """The DNS name of the public key (RFC 6376 section 3.6.2.1)."""
        return f"{self.selector}._domainkey.{self.domain}"


def load_signer(domain: str, selector: str, pem: bytes) -> Signer:
    """The signer with the private key in `pem`. Raises DkimKeyRefused unless it is RSA of at least 1024 bits."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # TypeError: the key is encrypted with a password.
        raise DkimKeyRefused("it is not a private key in PEM form without a password") from None
    if not isinstance(key, RSAPrivateKey):
        raise DkimKeyRefused("it is not an RSA key")
    if key.key_size < MINIMUM_KEY_BITS:
        raise DkimKeyRefused(f"it has {key.key_size} bits; verifiers ignore keys under {MINIMUM_KEY_BITS} (RFC 8301)")
    return Signer(domain=domain, selector=selector, key=key)


def choose_signer(signers: Sequence[Signer], letter: Letter) -> Signer | None:
    """The signer for the domain of the letter's From field; None if the letter stays unsigned."""
    if not signers:
        return None
    found = _FROM.search(letter.content, 0, letter.content.find(b"\r\n\r\n"))
    domain = found[1].rpartition(b"@")[2].strip(b" \t\r\n>").lower() if found else b""
    return signer_for(signers, domain.decode("ascii", "replace"))


def signer_for(signers: Sequence[Signer], domain: str) -> Signer | None:
    """The first signer of the domain, else of its nearest parent domain, else None.

    A parent domain aligns in relaxed mode only (RFC 7489 section 3.1.1).
    """
    while domain:
        for signer in signers:
            if signer.domain == domain:
                return signer
        domain = domain.partition(".")[2]
    return None


@dataclass(frozen=True, slots=True)
class UnsignedLetter:
    """A letter and its DKIM-Signature field, complete but for the signature itself."""

    letter: Letter
    octets: bytes
    """The octets to be signed."""
    field: bytes
    """The field, up to `b=`."""


def sign_letter(signer: Signer, letter: Letter, signed_at: datetime) -> Letter:
    """The letter with a DKIM-Signature field at its top; the same octets for the same input.

    All fields that RFC 6376 section 5.4.1 recommends are signed, in each occurrence. From, To, Subject and Date are
    signed once more than they occur, so that none can be added. `signed_at` is timezone-aware, used in whole seconds.
    """
    unsigned = prepare_signature(signer, letter, signed_at)
    return attach_signature(unsigned, compute_signature(signer, unsigned.octets))


def prepare_signature(signer: Signer, letter: Letter, signed_at: datetime) -> UnsignedLetter:
    """The letter ready for `compute_signature`, which is nine tenths of the work and may run in another process."""
    head, _, body = letter.content.partition(b"\r\n\r\n")
    names, values = _canonicalize_signed_fields(head)
    folded, relaxed = _signature_field_start(signer.domain, signer.selector, names)
    body_hash = base64.b64encode(hashlib.sha256(body if letter.is_wire_ready else canonicalize_own_body(body)).digest())
    time = b"%d" % signed_at.timestamp()
    values.append(b"%b%b; bh=%b; b=" % (relaxed, time, body_hash))
    return UnsignedLetter(letter, b"\r\n".join(values), b"%b%b;\r\n bh=%b;\r\n b=" % (folded, time, body_hash))


def compute_signature(signer: Signer, octets: bytes) -> bytes:
    """The signature of `octets` in base64: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 6376 section 3.3.1)."""
    return base64.b64encode(signer.key.sign(octets, _PADDING, _HASH))


def attach_signature(unsigned: UnsignedLetter, signature: bytes) -> Letter:
    """The letter with its complete DKIM-Signature field at its top."""
    lines = b"\r\n ".join([signature[at : at + _COLUMNS - 1] for at in range(0, len(signature), _COLUMNS - 1)])
    content = b"%b%b\r\n%b" % (unsigned.field, lines, unsigned.letter.content)
    return replace(unsigned.letter, content=content)


def canonicalize_own_body(body: bytes) -> bytes:
    """The body in relaxed canonicalization (RFC 6376 section 3.4.4). `body` has CRLF line ends only."""
    # rfind, because it takes half the time of find.
    unusual = body.rfind(b"  ") >= 0 or body.rfind(b" \r\n") >= 0 or b"\t" in body
    if unusual or body[-2:] != b"\r\n" or body[-4:] in {b"\r\n", b"\r\n\r\n"}:
        if body and not body.endswith(b"\r\n"):
            body += b"\r\n"
        return canonicalize_body(body, relaxed=True)
    return body


def _canonicalize_signed_fields(head: bytes) -> tuple[tuple[bytes, ...], list[bytes]]:
    """(names for h=, the fields in relaxed canonicalization in the same order) (RFC 6376 section 3.4.2).

    A repeated name means its fields from the bottom up (section 5.4.2), so all fields are read in that order.
    """
    head = head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")
    if b"  " in head or b"\t" in head:
        head = _SPACES.sub(b" ", head)
    names, values = [], []
    for line in reversed(head.split(b"\r\n")):
        name, _, value = line.partition(b":")
        name = name.lower().rstrip()
        if name in _SIGNED_NAMES:
            names.append(name)
            values.append(b"%b:%b" % (name, value.strip(b" ")))
    return (*names, *_OVERSIGNED_NAMES), values


@lru_cache(maxsize=256)
def _signature_field_start(domain: str, selector: str, names: tuple[bytes, ...]) -> tuple[bytes, bytes]:
    """The DKIM-Signature field up to `t=`: (as it stands in the letter, in relaxed canonicalization)."""
    lines, line = [f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain};", f" s={selector};"], " h="
    for name in names:
        entry = f"{name.decode()}:"
        if len(line) + len(entry) > _COLUMNS:
            lines.append(line)
            line = " "
        line += entry
    lines += [f"{line[:-1]};", " t="]
    folded, relaxed = "\r\n".join(lines), "".join(lines)
    return f"DKIM-Signature: {folded}".encode("ascii"), f"dkim-signature:{relaxed}".encode("ascii")
