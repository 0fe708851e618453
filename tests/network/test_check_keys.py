"""Whether the published key is the one we sign with."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mailer.domain.health_check import HealthCheck
from mailer.mail.dkim.dns_record import format_key_record, format_zone_line
from mailer.mail.dkim.signing import Signer
from mailer.network.check_keys import check_keys
from tests.support.dns_zone import Zone

NAME = "mailer._domainkey.lists.example.org"


def new_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer(domain="lists.example.org", selector="mailer", key=new_key())


async def checked(signer: Signer, *records: str) -> HealthCheck:
    async with Zone({f"{NAME}. TXT": list(records)}) as zone:
        [check] = await check_keys(zone.dns(), [signer])
    return check


async def test_the_record_that_is_printed_passes(signer):
    line = format_zone_line(NAME, format_key_record(signer))
    name, strings = line.split(". IN TXT ")

    check = await checked(signer, strings.strip("() "))

    assert name == NAME
    assert (check.status, check.message) == ("ok", "the key matches (2048 bits)")
    assert all(len(string) <= 255 for string in strings.split('"')[1::2])
    assert len(strings.split('"')[1::2]) == 2


async def test_a_record_may_be_split_into_strings_and_spaced(signer):
    text = format_key_record(signer).replace("k=rsa; ", "").replace("p=", "p = ")
    strings = " ".join(f'"{text[at : at + 17]}"' for at in range(0, len(text), 17))

    check = await checked(signer, strings)

    assert check.status == "ok"


def other_record() -> str:
    return format_key_record(Signer(domain="lists.example.org", selector="mailer", key=new_key()))


def edwards() -> str:
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    octets = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; p={base64.b64encode(octets).decode()}"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: "v=DKIM1; k=rsa; p=", "the key is revoked"),
        (lambda text: other_record(), "another key is published"),
        (lambda text: edwards(), "another key is published"),
        (lambda text: text[:-40], "another key is published"),
        (lambda text: "hello", "no p="),
        (lambda text: text.replace("DKIM1", "DKIM2"), "does not begin with v=DKIM1"),
        (lambda text: text.removeprefix("v=DKIM1; ") + "; v=DKIM1", "does not begin with v=DKIM1"),
        (lambda text: text.replace("k=rsa", "k=ed25519"), "for ed25519 keys"),
        (lambda text: text + "; h=sha1", "allows h=sha1 only"),
        (lambda text: text + "; s=tlsrpt", "not for email"),
    ],
)
async def test_a_record_that_verifiers_reject_fails_with_the_record_to_publish(signer, change, words):
    text = change(format_key_record(signer))

    check = await checked(signer, " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255)))

    assert (check.status, words in check.message) == ("fail", True), check
    assert format_zone_line(NAME, format_key_record(signer)) in check.remedy


async def test_a_missing_record_and_a_second_record_fail(signer):
    missing = await checked(signer)
    twice = await checked(signer, '"v=DKIM1; p="', '"v=spf1 -all"')

    assert (missing.status, missing.message) == ("fail", "there is no TXT record")
    assert (twice.status, twice.message) == ("fail", "there are 2 TXT records; receivers may take either")


async def test_a_test_flag_and_a_short_key_are_warnings(signer):
    short = Signer(domain="lists.example.org", selector="mailer", key=new_key(1024))

    marked = await checked(
        signer, format_zone_line("x", format_key_record(signer) + "; t=y:s").partition("( ")[2].rstrip(" )")
    )
    brief = await checked(short, f'"{format_key_record(short)}"')

    assert (marked.status, "t=y" in marked.message) == ("warn", True)
    assert (brief.status, "only 1024 bits" in brief.message) == ("warn", True)


async def test_a_dns_that_does_not_answer_is_a_warning(signer):
    async with Zone({}) as zone:
        zone.fails(f"{NAME}.")

        [check] = await check_keys(zone.dns(), [signer])

    assert (check.status, "failed to answer" in check.message) == ("warn", True)
