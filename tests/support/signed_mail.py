"""Mails as others sign them with DKIM: any tags, and the zone that their keys are in."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from dkim.canonicalization import CanonicalizationPolicy

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)
"""When it is, where these mails are read."""
SIGNED_AT = int(NOW.timestamp()) - 60
MAIL = (
    b"From: Rosa <rosa@example.org>\r\nTo: harvest@lists.example.net\r\nSubject: Beans\r\n"
    b"\r\nHow  many rows\t shall we\r\n\r\nplant? \r\n\r\n"
)


@cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def dkim_record(bits: int = 1024, tags: str = "v=DKIM1; k=rsa") -> str:
    octets = rsa_key(bits).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"{tags}; p={base64.b64encode(octets).decode()}"


def dkim_zone(domain: str = "example.org", *, bits: int = 1024, tags: str = "v=DKIM1; k=rsa") -> dict[str, list[str]]:
    """The zone entry of a domain's key, of selector `s`."""
    text = dkim_record(bits, tags)
    strings = " ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200))
    return {f"s._domainkey.{domain}. TXT": [strings]}


def sign_mail(mail: bytes = MAIL, *, domain: str = "example.org", bits: int = 1024, **tags: str) -> bytes:
    """The mail with a signature of a minute ago; the tags c, h, l, a, x, t (none if empty), i and so on as given."""
    head, _, body = mail.partition(b"\r\n\r\n")
    fields = {
        "v": "1",
        "a": "rsa-sha256",
        "c": "relaxed/relaxed",
        "d": domain,
        "s": "s",
        "h": "from:to:subject",
        "t": f"{SIGNED_AT}",
    }
    fields = {name: value for name, value in (fields | tags).items() if value or name != "t"}
    policy = CanonicalizationPolicy.from_c_value(fields["c"].encode())
    text = policy.canonicalize_body(body) if body else {b"relaxed": b""}.get(policy.body_algorithm.name, b"\r\n")
    if fields.get("l", "").isdigit():
        text = text[: int(fields["l"])]
    fields["bh"] = base64.b64encode(hashlib.sha256(text).digest()).decode()
    field = b" " + "; ".join(f"{name}={value}" for name, value in fields.items()).encode() + b"; b="
    lines = [tuple(line.split(b":", 1)) for line in head.split(b"\r\n")]
    by_name = {name.lower(): (name, value + b"\r\n") for name, value in lines}
    wanted = [by_name[name] for name in fields["h"].encode().split(b":") if name in by_name]
    canonical = [b"%b:%b" % pair for pair in policy.canonicalize_headers(wanted)]
    own = [
        b"%b:%b" % (name, value.rstrip()) for name, value in policy.canonicalize_headers([(b"DKIM-Signature", field)])
    ]
    signature = rsa_key(bits).sign(b"".join(canonical + own), PKCS1v15(), SHA256())
    return b"DKIM-Signature:" + field + base64.b64encode(signature) + b"\r\n" + mail
