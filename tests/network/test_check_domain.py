"""Checks of a domain's DNS records, over real sockets from a zone on loopback."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from mailer.domain.health_check import HealthCheck
from mailer.mail.dkim.signing import Signer
from mailer.network.check_domain import check_domain
from tests.support.dns_zone import Zone

DOMAIN = "lists.example.org"
GOOD = {
    f"{DOMAIN}. TXT": ['"v=spf1 mx ip6:2001:db8::/48 -all"'],
    f"{DOMAIN}. MX": ["10 mail.example.org."],
    "mail.example.org. A": ["192.0.2.25"],
    f"_dmarc.{DOMAIN}. TXT": ['"v=DMARC1; p=reject; rua=mailto:ada@example.org"'],
}


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


async def findings(signers: list[Signer], zone: Zone, within_s: float = 5) -> dict[str, HealthCheck]:
    found = await check_domain(zone.dns(within_s), DOMAIN, signers)
    return {check.check.partition(" ")[0]: check for check in found}


async def examined(
    key: rsa.RSAPrivateKey, changes: dict[str, list[str]], signer: str = DOMAIN
) -> dict[str, HealthCheck]:
    async with Zone({name: data for name, data in (GOOD | changes).items() if data}) as zone:
        return await findings([Signer(domain=signer, selector="mailer", key=key)], zone)


def statuses(found: dict[str, HealthCheck]) -> dict[str, str]:
    return {name: check.status.value for name, check in found.items()}


async def test_a_domain_in_order_passes(key):
    found = await examined(key, {})

    assert statuses(found) == {"spf": "ok", "dmarc": "ok", "alignment": "ok", "mx": "ok"}
    assert "1 of 10 lookups; covers 192.0.2.25/32, 2001:db8::/48" in found["spf"].message
    assert found["dmarc"].message == "p=reject"
    assert not any(check.remedy for check in found.values())


@pytest.mark.parametrize(
    ("record", "health", "words"),
    [
        ([], "fail", "there is no SPF record"),
        (['"v=spf1 -all"', '"v=spf1 mx -all"'], "fail", "there are 2 SPF records"),
        (['"v=spf1 " "mx +all"'], "fail", "+all lets everybody send"),
        (['"v=spf1 mx ?all"'], "warn", "says nothing of other addresses"),
        (['"v=spf1 include:gone.example.net -all"'], "fail", "receivers ignore the record"),
        (['"v=spf1 -all"'], "ok", "covers no address"),
        ([f'"v=spf1 {" ".join(f"ip4:192.0.2.{n}" for n in range(9))} -all"'], "ok", "192.0.2.5/32 and 3 more"),
        (['"v=spf1 exists:%{i}.example.org ~all"'], "ok", "whatever exists:%{i}.example.org means"),
    ],
)
async def test_an_spf_record_is_checked_as_receivers_evaluate_it(key, record, health, words):
    found = await examined(key, {f"{DOMAIN}. TXT": record})

    assert (found["spf"].status, words in found["spf"].message) == (health, True), found["spf"]
    assert found["spf"].remedy or health == "ok"


@pytest.mark.parametrize(
    ("records", "health", "words"),
    [
        ({f"_dmarc.{DOMAIN}. TXT": []}, "fail", "there is no DMARC record"),
        ({f"_dmarc.{DOMAIN}. TXT": ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"']}, "fail", "2 DMARC records"),
        ({f"_dmarc.{DOMAIN}. TXT": ['"v=DMARC1; rua=mailto:a@example.org"']}, "fail", "names no policy"),
        ({f"_dmarc.{DOMAIN}. TXT": ['"other"', '"v=DMARC1;p=none"']}, "ok", "p=none"),
        (
            {f"_dmarc.{DOMAIN}. TXT": [], "_dmarc.example.org. TXT": ['"v=DMARC1; p=none; sp=quarantine"']},
            "ok",
            "p=quarantine, by the record of example.org",
        ),
    ],
)
async def test_the_dmarc_record_that_applies_is_found(key, records, health, words):
    found = await examined(key, records)

    assert (found["dmarc"].status, words in found["dmarc"].message) == (health, True), found["dmarc"]


@pytest.mark.parametrize(
    ("signer", "dmarc", "health", "words"),
    [
        ("example.org", '"v=DMARC1; p=none"', "ok", "signed by d=example.org"),
        ("example.org", '"v=DMARC1; p=none; adkim=s"', "fail", "adkim=s asks for lists.example.org itself"),
        (DOMAIN, '"v=DMARC1; p=none; adkim=s"', "ok", "signed by d=lists.example.org"),
        ("example.net", '"v=DMARC1; p=none"', "warn", "no [[dkim]] signs for lists.example.org"),
    ],
)
async def test_the_signing_domain_must_align_with_from(key, signer, dmarc, health, words):
    found = await examined(key, {f"_dmarc.{DOMAIN}. TXT": [dmarc]}, signer)

    assert (found["alignment"].status, words in found["alignment"].message) == (health, True), found["alignment"]


@pytest.mark.parametrize(
    ("records", "health", "words"),
    [
        ({f"{DOMAIN}. MX": []}, "fail", "cannot arrive"),
        ({f"{DOMAIN}. MX": [], f"{DOMAIN}. A": ["192.0.2.1"]}, "warn", "the domain's own address"),
        ({f"{DOMAIN}. MX": ["0 ."]}, "fail", "null MX"),
        ({"mail.example.org. A": []}, "fail", "mail.example.org has no address"),
    ],
)
async def test_the_mx_must_lead_to_a_host_with_an_address(key, records, health, words):
    found = await examined(key, records)

    assert (found["mx"].status, words in found["mx"].message) == (health, True), found["mx"]


async def test_a_dns_that_does_not_answer_is_a_warning():
    async with Zone(GOOD) as zone:
        zone.fails(f"{DOMAIN}.")
        zone.is_silent(f"_dmarc.{DOMAIN}.")

        found = await findings([], zone, within_s=0.3)

    assert statuses(found) == {"spf": "warn", "dmarc": "warn", "mx": "warn"}
    assert "failed to answer lists.example.org TXT" in found["spf"].message
    assert "within 0.3 s" in found["dmarc"].message
