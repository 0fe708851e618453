"""DKIM signatures of letters, verified by dkimpy."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.errors import DkimKeyRefused
from mailer.mail.compose.forward import attach_original
from mailer.mail.compose.personalise import personalise
from mailer.mail.dkim.signing import Signer, canonicalize_own_body, choose_signer, load_signer, sign_letter
from mailer.mail.message.letter import Letter
from tests.mail.compose.test_forward import COVER, ORIGINAL
from tests.support.letter_checks import SentLetter, check_letter
from tests.support.list_letter_checks import check_campaign_letter, check_list_letter, check_signature

# Past, since a verifier believes no signature from the future.
NOON = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
INVITATION = """---
subject: '{{ name or "Friend" }}, come'
---
Dear  {{ name or "friend" }},

    two   rows

- of beans
"""
SPACES = st.text("ab \t.", max_size=60) | st.sampled_from(
    ["", " ", "\t", "a ", " a", "a  b", "a \t b", "=20", ".", "--"]
)
BODIES = st.lists(SPACES, max_size=12).map(lambda lines: "".join(f"{line}\r\n" for line in lines).encode())
NAMES = st.sampled_from(["From", "TO", "subject", "Date", "List-Id", "X-Other", "Reply-To", "References", "Received"])
VALUES = st.lists(st.text("ab <>@:;=\t", min_size=1, max_size=40).filter(str.strip), min_size=1, max_size=3)


SHORT_KEY = (
    b"-----BEGIN RSA PRIVATE KEY-----\n"
    b"MIIBPAIBAAJBANrFhO3b/D4Uis92LfUaOI/eu5ac1ze7bJCQ3vN3pIfElTxdbuJA\n"
    b"a65+ideTO8XGgZQ3TdpPHxXJce/2rNFagV0CAwEAAQJAXVxtnhSDUPrzQhXtBuxp\n"
    b"tvwWke/c6KvTaN5qRvyH+mff8i5pZWEfhGMcG1/pZAkEkDt0ToVG11IOOjJEDx14\n"
    b"AQIhAPrxN+JSfTtrrANvJSo3e2Y6fpXOOzZUv8ptsz5fGXTZAiEA3y5PeaJpg7BY\n"
    b"YO4IF/axQJyBBnRpPgVZkSLFf2wWziUCIQDnOBAIB33AnItYdrbF2W1oWol8uxOw\n"
    b"EhLOEJpR5ApusQIhAJgOKlG56N+zBxPLOTJyfiOCPZoTOBzscjCjGyIMl6ENAiEA\n"
    b"vAZPFzCjXdCh5/jQubkcl/gRcYc2h9fLPbS32yYDntY=\n"
    b"-----END RSA PRIVATE KEY-----\n"
)
"""Of 512 bits; it belongs to nobody."""


@cache
def key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def signer_of(domain: str = "lists.example.org", selector: str = "mailer") -> Signer:
    return Signer(domain=domain, selector=selector, key=key())


def record() -> bytes:
    octets = key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(octets)


def verifies(content: bytes) -> bool:
    """Whether dkimpy, a receiver who knows our key, believes the first signature."""
    return bool(dkim.verify(content, dnsfunc=lambda name, timeout=5: record()))


def letter_of(content: bytes) -> Letter:
    return Letter("bounce+x@lists.example.org", "rosa@example.org", content)


def pem(private_key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture
def signed(composed: Callable, rosa) -> Letter:
    """Rosa's letter, with our signature."""
    return sign_letter(signer_of(), personalise(composed(INVITATION), rosa), NOON)


def tags(letter: Letter) -> dict[str, str]:
    field = letter.content.partition(b"\r\nFrom:")[0].decode().removeprefix("DKIM-Signature:")
    return dict(tag.split("=", 1) for tag in re.sub(r"\s", "", field).split(";"))


def test_a_signed_letter_verifies(signed):
    assert verifies(signed.content)


def test_the_signature_says_who_signed_what_and_when(signed):
    signature = tags(signed)

    assert (signature["v"], signature["a"], signature["c"]) == ("1", "rsa-sha256", "relaxed/relaxed")
    assert (signature["d"], signature["s"]) == ("lists.example.org", "mailer")
    assert signature["t"] == str(int(NOON.timestamp()))
    assert "l" not in signature
    names = signature["h"].split(":")
    assert [names.count(name) for name in ("from", "to", "subject", "date")] == [2, 2, 2, 2]
    assert {"list-id", "list-unsubscribe", "list-unsubscribe-post", "feedback-id", "message-id"} <= set(names)
    assert {"mime-version", "content-type", "precedence", "list-help", "list-owner", "list-post"} <= set(names)


def test_the_signature_is_folded_and_comes_before_all_else(signed):
    head = signed.content.partition(b"\r\nFrom:")[0]

    assert head.startswith(b"DKIM-Signature: v=1;")
    assert max(map(len, head.split(b"\r\n"))) <= 78
    assert all(line.startswith(b" ") for line in head.split(b"\r\n")[1:])


def test_the_same_letter_signed_again_is_the_same_to_the_last_octet(composed, rosa, signed):
    elsewhere = NOON.astimezone(ZoneInfo("Asia/Tokyo"))

    again = sign_letter(replace(signer_of()), personalise(composed(INVITATION), rosa), elsewhere)

    assert again == signed
    assert sign_letter(signer_of(), personalise(composed(INVITATION), rosa), NOON + timedelta(seconds=1)) != signed


def test_a_signed_letter_is_what_receivers_of_bulk_mail_ask_for(signed):
    zone = {"mailer._domainkey.lists.example.org.": record().decode()}
    sent = SentLetter(signed.content, signed.return_path, signed.recipient)

    assert check_signature(sent, zone) == []
    assert check_letter(sent) + check_list_letter(sent) + check_campaign_letter(sent) == []


def test_the_checks_name_a_letter_that_was_altered(signed):
    zone = {"mailer._domainkey.lists.example.org.": record().decode()}
    altered = signed.content.replace(b"List-Post: NO", b"List-Post: YES").replace(b"Rosa", b"\xffosa")
    sent = SentLetter(altered, "ada@example.net", signed.recipient)

    faults = check_signature(sent, zone) + check_letter(sent) + check_list_letter(sent)

    assert "the signature does not verify" in faults
    assert "List-Post: YES" in faults
    assert "octets beyond ASCII" in faults
    assert "return path ada@example.net" in faults


@pytest.mark.parametrize(
    ("ours", "mallorys"),
    [
        (b"Subject: Rosa", b"Subject: Emma"),
        (b"From: ", b"From: mallory@example.org\r\nFrom: "),
        (b"From: ", b"Subject: Pay me\r\nFrom: "),
        (b"From: ", b"Date: Tue, 01 Dec 2026 09:00:00 +0000\r\nFrom: "),
        (b"From: ", b"To: emma@example.org\r\nFrom: "),
        (b"/leave/", b"/join/"),
        (b"One-Click", b"One-Clock"),
        (b"Dear", b"Deer"),
        (b"alternative", b"mixed"),
        (b" t=", b" x="),
        (b"</html>", b"</html>."),
    ],
)
def test_a_change_by_somebody_else_breaks_the_signature(signed, ours, mallorys):
    assert ours in signed.content

    assert not verifies(signed.content.replace(ours, mallorys, 1))


@given(where=st.floats(0, 1, exclude_max=True), flip=st.integers(0, 6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bit_of_the_body_can_be_flipped(signed, where, flip):
    start = signed.content.index(b"\r\n\r\n") + 4
    at = start + int(where * (len(signed.content) - start))
    turned = bytearray(signed.content)
    turned[at] ^= 1 << flip

    # Some turns only add what relaxed canonicalisation takes away again, or make a tab of it; and the verifier takes a
    # bare LF for a line end.
    seen = bytes(turned[start:]).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if canonicalize_own_body(seen) != canonicalize_own_body(signed.content[start:]):
        assert not verifies(bytes(turned))


@given(name=st.text(max_size=80), city=st.text(max_size=80))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_letter_verifies_and_needs_no_canonicalization(composed, rosa, name, city):
    text = "---\nsubject: Come\n---\nDear {{ name or 'friend' }}  {{ city or '' }} ,\n\nx\n"
    letter = personalise(composed(text), replace(rosa, name=name, attributes={"city": city}))
    body = letter.content.partition(b"\r\n\r\n")[2]

    signed = sign_letter(signer_of(), letter, NOON)

    assert verifies(signed.content)
    assert canonicalize_own_body(body) is body


def test_a_forwarded_mail_is_signed_whole_whatever_its_white_space():
    awkward = ORIGINAL + b"\r\n \t\r\ntwo  words\tand \r\n\r\n\r\n"
    content = attach_original(awkward, COVER)

    signed = sign_letter(signer_of(), letter_of(content), NOON)

    assert verifies(signed.content)
    assert canonicalize_own_body(awkward) != awkward
    assert not verifies(signed.content.replace(b"two  words", b"twowords"))


@given(body=BODIES, fields=st.lists(st.tuples(NAMES, VALUES), max_size=8))
def test_awkward_letters_verify_too(body, fields):
    head = "".join(_field(name, values) for name, values in fields)
    content = b"From: appeals@lists.example.org\r\n" + head.encode() + b"\r\n" + body

    signed = sign_letter(signer_of(), letter_of(content), NOON)

    assert verifies(signed.content)
    assert signed.content.endswith(content)


def _field(name: str, values: list[str]) -> str:
    """A field folded between its values by a tab."""
    return f"{name}: " + "\r\n\t".join(values) + "\r\n"


@given(BODIES)
def test_a_body_is_canonicalized_as_another_implementation_does(body):
    theirs = dkim.canonicalization.Relaxed.canonicalize_body(body) if body else b""

    assert canonicalize_own_body(body) == theirs
    assert canonicalize_own_body(canonicalize_own_body(body)) == theirs


def test_a_body_without_a_line_end_is_signed_as_it_will_travel():
    content = b"From: appeals@lists.example.org\r\n\r\nno end "

    signed = sign_letter(signer_of(), letter_of(content), NOON)

    assert verifies(signed.content + b"\r\n")


@pytest.mark.parametrize(
    "content", [b"From: a@lists.example.org\r\n\r\n", b"From: a@lists.example.org\r\n\r\n\r\n\r\n"]
)
def test_an_empty_letter_is_signed(content):
    assert verifies(sign_letter(signer_of(), letter_of(content), NOON).content)


@pytest.mark.parametrize(
    ("sender", "chosen"),
    [
        (b"From: <appeals@lists.example.org>", "lists.example.org one"),
        (b'Date: x\r\nfrom: "evil@example.net" \r\n <appeals@Lists.Example.org>', "lists.example.org one"),
        (b"From: a@sub.lists.example.org", "lists.example.org one"),
        (b"From: a@news.example.org", "example.org two"),
        (b"From: a@badexample.org", None),
        (b"X-From: a@example.org", None),
        (b"To: a@example.org\r\n\r\nFrom: a@example.org", None),
    ],
)
def test_the_domain_in_from_decides_who_signs(sender, chosen):
    signers = (
        signer_of("example.org", "two"),
        signer_of("lists.example.org", "one"),
        signer_of("lists.example.org", "three"),
    )

    signer = choose_signer(signers, letter_of(sender + b"\r\n\r\nHello\r\n"))

    assert (signer and f"{signer.domain} {signer.selector}") == chosen


def test_a_letter_stays_unsigned_without_a_key():
    assert choose_signer((), letter_of(b"From: a@example.org\r\n\r\nHello\r\n")) is None


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "not a private key"),
        (b"\xff\x00", "not a private key"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "not an RSA key"),
        (key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "not a private key"),
    ],
)
def test_anything_but_a_private_rsa_key_is_refused(octets, why):
    with pytest.raises(DkimKeyRefused, match=why):
        load_signer("lists.example.org", "mailer", octets)


def test_a_key_that_verifiers_ignore_is_refused_and_a_usual_one_is_accepted():
    signer = load_signer("lists.example.org", "mailer", pem(key()))

    assert signer.record_name == "mailer._domainkey.lists.example.org"
    assert "PRIVATE" not in repr(signer)
    with pytest.raises(DkimKeyRefused, match="512 bits"):
        load_signer("lists.example.org", "mailer", SHORT_KEY)
