"""Letters in every template, language and kind, signed as they go out."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mailer.mail.dkim.signing import Signer, sign_letter
from mailer.mail.message.letter import Letter
from tests.letters.sample_letters import READER, SITE, write_letter

# Past, since a verifier believes no signature from the future.
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def key() -> RSAPrivateKey:
    """The key that signs letters."""
    return generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def zone(key: RSAPrivateKey) -> dict[str, str]:
    """The key as it is published."""
    octets = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {f"mailer._domainkey.{SITE.domain}.": f"v=DKIM1; k=rsa; p={base64.b64encode(octets).decode()}"}


@pytest.fixture(scope="session")
def sign(key: RSAPrivateKey) -> Callable[..., Letter]:
    """Write a sample as it goes out, dated and signed at an hour."""
    signer = Signer(domain=SITE.domain, selector="mailer", key=key)

    def write(template: str, language: str, kind: str, at: datetime = NOON) -> Letter:
        letter = write_letter(template, language, kind, recipient=replace(READER, dated_at=at))
        return sign_letter(signer, letter, at)

    return write
