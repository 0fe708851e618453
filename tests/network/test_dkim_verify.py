"""Verifying signed mail against a DNS zone on loopback."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from email.utils import format_datetime

import pytest

from mailer.domain.incoming_message import IncomingMessage
from mailer.domain.sender_authentication import AuthenticationMethod, SenderAuthentication
from mailer.mail.dkim.signing import Signer, sign_letter
from mailer.mail.message.letter import Letter
from mailer.mail.message.parsed_message import ParsedMessage
from mailer.network.authenticate_sender import authenticate_sender
from mailer.network.dns import Dns
from tests.support.dns_zone import Zone
from tests.support.signed_mail import MAIL, NOW, dkim_record, dkim_zone, rsa_key, sign_mail

BY_HAND = IncomingMessage(sender="", recipients=("harvest@lists.example.net",))
"""Without a client, so that only a signature counts."""
LONG_AGO = "1500000000"


def ago(**by: float) -> str:
    return str(int((NOW - timedelta(**by)).timestamp()))


def dated(**by: float) -> bytes:
    return b"Date: %b\r\n" % format_datetime(NOW - timedelta(**by)).encode() + MAIL


async def authenticate(dns: Dns, mail: bytes) -> SenderAuthentication:
    return await authenticate_sender(dns, ParsedMessage(mail), BY_HAND, mail_servers=(), authserv_ids=(), now=NOW)


async def authenticate_with(mail: bytes, records: dict[str, list[str]]) -> SenderAuthentication:
    async with Zone(records) as zone:
        return await authenticate(zone.dns(), mail)


async def test_a_signed_mail_is_authenticated():
    found = await authenticate_with(sign_mail(), dkim_zone())

    assert (found.method, found.domain, found.why) == (
        AuthenticationMethod.DKIM,
        "example.org",
        "DKIM: signed by example.org",
    )
    assert found.header_recipients == {"harvest@lists.example.net"}


async def test_a_letter_signed_by_this_service_is_authenticated():
    signer = Signer(domain="example.org", selector="s", key=rsa_key(1024))
    letter = sign_letter(signer, Letter("", "harvest@lists.example.net", MAIL), NOW)

    assert (await authenticate_with(letter.content, dkim_zone())).method is AuthenticationMethod.DKIM


@pytest.mark.parametrize("form", ["relaxed/simple", "simple/relaxed", "simple/simple", "relaxed", "simple"])
@pytest.mark.parametrize("body", [b"two  words\t\r\n\r\n", b"", b"\r\n\r\n", b"no end"])
async def test_each_canonicalization_is_verified(form, body):
    mail = MAIL.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body

    assert (await authenticate_with(sign_mail(mail, c=form), dkim_zone())).method is AuthenticationMethod.DKIM


@pytest.mark.parametrize(
    ("hers", "mallorys"),
    [
        (b"Beans", b"Bombs"),
        (b"plant?", b"burn?"),
        (b"<rosa@", b"<emma@"),
        (b"plant? \r\n", b"plant? \r\nAnd pay.\r\n"),
        (b"a=rsa-sha256", b"a=rsa-sha1"),
        (b"h=from:", b"h=for:"),
        (b"d=example.org", b"D=example.org"),
        (b"c=relaxed/relaxed", b"c=relaxed/other"),
        (b"bh=", b"bh=?"),
    ],
)
async def test_a_changed_mail_is_refused(hers, mallorys):
    assert hers in sign_mail()

    found = await authenticate_with(sign_mail().replace(hers, mallorys, 1), dkim_zone())

    assert (found.method, found.domain) == (None, "example.org")


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({"x": "1500000060", "t": LONG_AGO}, "time is over"),
        ({"t": "9" * 6000}, "no signature that counts"),
        ({"t": "9" * 4500}, "time is over, or none"),
        ({"t": "99999999999"}, "yet to come"),
        ({"t": ago(hours=73)}, "too long ago"),
        ({"t": ago(hours=-25)}, "yet to come"),
        ({"x": ago(minutes=1)}, "time is over"),
        ({"x": "soon"}, "time is over"),
        ({"t": ""}, "no signed field says when"),
        ({"t": "", "x": ago(hours=-1)}, "no signed field says when"),
        ({"t": "", "h": "from:to:subject:date"}, "no signed field says when"),
        ({"l": "10"}, "no signature that counts"),
        ({"l": "34", "x": "99999999999"}, "no signature that counts"),
        ({"h": "to:subject"}, "no signature that counts"),
        ({"i": "x"}, "not valid"),
        ({"i": "@elsewhere.example.net"}, "not valid"),
        ({"a": "ed25519-sha256"}, "no signature that counts"),
        ({"q": "carrier/pigeon"}, "not valid"),
        ({"domain": "org"}, "no signature that counts"),
        ({"domain": "example.net"}, "no signature that counts"),
        ({"n": " " * 50 + "x"}, "an unusual form"),
        ({"n": "\r\n" + " " * 50 + "x"}, "an unusual form"),
        ({"h": "from:to"}, "no signature that counts"),
    ],
)
async def test_an_unusable_signature_is_refused(tags, why):
    found = await authenticate_with(sign_mail(**tags), dkim_zone() | dkim_zone("example.net") | dkim_zone("org"))

    assert found.method is None
    assert why in found.why


@pytest.mark.parametrize(
    ("mail", "tags", "authenticated"),
    [
        (dated(hours=71), {"t": "", "h": "from:to:subject:date"}, True),
        (dated(hours=-23), {"t": "", "h": "from:to:subject:date"}, True),
        (dated(hours=1), {"t": ago(hours=2), "x": ago(hours=-1)}, True),
        (dated(hours=73), {"t": "", "h": "from:to:subject:date"}, False),
        (dated(hours=73), {"h": "from:to:subject:date"}, False),
        # What is not signed can be written anew whenever it suits; that it is old shows of itself.
        (dated(hours=1), {"t": ""}, False),
        (dated(hours=1), {"t": ago(days=30)}, False),
        (dated(hours=73), {}, False),
        (b"Date: some day\r\n" + MAIL, {}, False),
    ],
)
async def test_a_signature_is_accepted_for_three_days_by_its_signed_time(mail, tags, authenticated):
    assert (
        (await authenticate_with(sign_mail(mail, **tags), dkim_zone())).method is AuthenticationMethod.DKIM
    ) == authenticated


async def test_a_replay_has_the_same_digest_whatever_is_added_to_it():
    first = await authenticate_with(sign_mail(), dkim_zone())
    beginning, _, signature = sign_mail().partition(b"; b=")
    refolded = beginning + b"; b=" + signature[:20] + b"\r\n " + signature[20:]
    varied = (b"X-Other: 1\r\n" + sign_mail(), refolded, sign_mail().replace(b"Subject: Beans", b"SUBJECT:   Beans "))

    for mail in varied:
        found = await authenticate_with(mail, dkim_zone())
        assert (found.method, found.signature_digests) == (AuthenticationMethod.DKIM, first.signature_digests)
    for tags in ({"t": ago(minutes=2)}, {"c": "simple/simple"}, {"n": "x"}):
        assert (await authenticate_with(sign_mail(**tags), dkim_zone())).signature_digests != first.signature_digests


@pytest.mark.parametrize("field", [b"Subject: leave", b"Content-Type: text/html", b"to: x@example.net"])
async def test_a_field_added_above_a_signed_mail_is_not_taken_for_signed(field):
    mail = sign_mail(b"Content-Type: text/plain\r\n" + MAIL)

    assert (await authenticate_with(mail, dkim_zone())).method is AuthenticationMethod.DKIM
    assert (await authenticate_with(field + b"\r\n" + mail, dkim_zone())).method is None


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ("v=DKIM1; t=y", "only tests"),
        ("v=DKIM2", "not known"),
        ("k=ed25519", "not known"),
        ("s=tlsrpt", "not known"),
        ("h=sha1", "SHA-256"),
        ("t=s:x", None),
        ("v=DKIM1; k=rsa; s=email; h=sha1:sha256; n=hello", None),
    ],
)
async def test_the_restrictions_of_a_key_record_are_observed(tags, why):
    found = await authenticate_with(sign_mail(), dkim_zone(tags=tags))

    assert (found.method is None) == (why is not None)
    assert (why or "") in found.why


async def test_a_key_without_subdomains_does_not_sign_for_one():
    found = await authenticate_with(sign_mail(i="@news.example.org"), dkim_zone(tags="t=s"))

    assert "not for subdomains" in found.why


@pytest.mark.parametrize(
    "record",
    [[], ['"v=DKIM1; p="'], ['"p=AAAA"'], ['"p=%%%"'], ['"p=x"', '"p=y"'], ['"hello"'], ['"k=rsa; k=rsa; p=x"']],
)
async def test_a_mail_whose_key_cannot_be_looked_up_is_not_authenticated(record):
    zone = {"s._domainkey.example.org. TXT": record, "example.org. A": ["192.0.2.1"]}

    assert (await authenticate_with(sign_mail(), zone)).method is None


async def test_a_key_is_found_beside_other_records():
    zone = {"s._domainkey.example.org. TXT": ['"site-verification"', *dkim_zone()["s._domainkey.example.org. TXT"]]}

    assert (await authenticate_with(sign_mail(), zone)).method is AuthenticationMethod.DKIM


async def test_a_usable_signature_among_the_first_five_is_found():
    mail = sign_mail()
    for _ in range(4):
        mail = sign_mail(MAIL, domain="provider.example.net").partition(b"From:")[0] + mail
    late = sign_mail(MAIL, domain="provider.example.net").partition(b"From:")[0] + mail

    async with Zone(dkim_zone()) as zone:
        found = await authenticate(zone.dns(), mail)
        none = await authenticate(zone.dns(), late)

        assert (found.method, none.method) == (AuthenticationMethod.DKIM, None)
        assert zone.queries == ["s._domainkey.example.org. TXT"]


async def test_a_bad_signature_does_not_hide_a_good_one():
    bad = sign_mail(bits=2048).partition(b"From:")[0]

    assert (await authenticate_with(bad + sign_mail(), dkim_zone())).method is AuthenticationMethod.DKIM


async def test_a_mail_of_five_megabytes_is_verified_without_blocking_the_service():
    mail = sign_mail(MAIL + b"beans  and\tmore beans, row by row \r\n" * 140_000)
    turns = 0

    async def watch() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    watching = asyncio.create_task(watch())
    async with Zone(dkim_zone()) as zone:
        dns = zone.dns()
        await dns.texts("s._domainkey.example.org")
        before = turns
        found = await authenticate(dns, mail)
        watching.cancel()

    assert found.method is AuthenticationMethod.DKIM
    # It takes a quarter of a second: of one piece that would be few turns.
    assert turns - before > 10


async def test_a_key_may_be_in_the_older_form():
    text = dkim_record()

    assert (
        await authenticate_with(sign_mail(), {"s._domainkey.example.org. TXT": [f'"{text.rpartition("; ")[2]}"']})
    ).method


async def test_a_short_key_is_refused():
    text = (
        "p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBANrFhO3b/D4Uis92LfUaOI/eu5ac1ze7bJCQ3vN3pIfElTxdbuJAa65+ideTO8XGgZQ3TdpPHxXJ"
        "ce/2rNFagV0CAwEAAQ=="
    )
    found = await authenticate_with(sign_mail(), {"s._domainkey.example.org. TXT": [f'"{text}"']})

    assert "512 bits" in found.why
