"""Whose signature shows who wrote: signed mail against a zone on loopback."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from email.utils import format_datetime

import pytest

from mailer.domain.incoming_message import Arrival
from mailer.domain.sender_authentication import Proof, ProvenBy
from mailer.mail.dkim.signing import Signer, sign
from mailer.mail.message.letter import Letter
from mailer.network.authenticate_sender import who_wrote
from tests.support.dns_zone import Zone
from tests.support.signed_mail import MAIL, NOW, key, key_text, published, signed

BY_HAND = Arrival(sender="", recipients=("harvest@lists.example.net",))
"""From nowhere, so that only a signature counts."""
LONG_AGO = "1500000000"


def ago(**by: float) -> str:
    return str(int((NOW - timedelta(**by)).timestamp()))


def dated(**by: float) -> bytes:
    return b"Date: %b\r\n" % format_datetime(NOW - timedelta(**by)).encode() + MAIL


async def proof(mail: bytes, records: dict[str, list[str]]) -> Proof:
    async with Zone(records) as zone:
        return await who_wrote(zone.dns(), mail, BY_HAND, mail_servers=(), authserv_ids=(), now=NOW)


async def test_rosas_signed_mail_is_hers():
    found = await proof(signed(), published())

    assert (found.by, found.domain, found.why) == (ProvenBy.DKIM, "example.org", "DKIM: signed by example.org")
    assert found.named == {"harvest@lists.example.net"}


async def test_a_letter_that_this_service_signed_is_known_by_its_signature():
    signer = Signer(domain="example.org", selector="s", key=key(1024))
    letter = sign(signer, Letter("", "harvest@lists.example.net", MAIL), NOW)

    assert (await proof(letter.content, published())).by is ProvenBy.DKIM


@pytest.mark.parametrize("form", ["relaxed/simple", "simple/relaxed", "simple/simple", "relaxed", "simple"])
@pytest.mark.parametrize("body", [b"two  words\t\r\n\r\n", b"", b"\r\n\r\n", b"no end"])
async def test_each_form_of_a_text_is_read(form, body):
    mail = MAIL.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body

    assert (await proof(signed(mail, c=form), published())).by is ProvenBy.DKIM


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
async def test_what_mallory_changes_is_noticed(hers, mallorys):
    assert hers in signed()

    found = await proof(signed().replace(hers, mallorys, 1), published())

    assert (found.by, found.domain) == (None, "example.org")


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
        ({"n": " " * 50 + "x"}, "no usual one"),
        ({"n": "\r\n" + " " * 50 + "x"}, "no usual one"),
        ({"h": "from:to"}, "no signature that counts"),
    ],
)
async def test_a_signature_that_does_not_count_proves_nothing(tags, why):
    found = await proof(signed(**tags), published() | published("example.net") | published("org"))

    assert found.by is None
    assert why in found.why


@pytest.mark.parametrize(
    ("mail", "tags", "proven"),
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
async def test_a_signature_counts_for_three_days_by_what_it_signs(mail, tags, proven):
    assert ((await proof(signed(mail, **tags), published())).by is ProvenBy.DKIM) == proven


async def test_a_mail_is_the_same_however_its_signature_is_spelled_and_whatever_is_put_beside_it():
    first = await proof(signed(), published())
    told, _, signature = signed().partition(b"; b=")
    refolded = told + b"; b=" + signature[:20] + b"\r\n " + signature[20:]
    varied = (b"X-Other: 1\r\n" + signed(), refolded, signed().replace(b"Subject: Beans", b"SUBJECT:   Beans "))

    for mail in varied:
        found = await proof(mail, published())
        assert (found.by, found.digests) == (ProvenBy.DKIM, first.digests)
    for tags in ({"t": ago(minutes=2)}, {"c": "simple/simple"}, {"n": "x"}):
        assert (await proof(signed(**tags), published())).digests != first.digests


@pytest.mark.parametrize("field", [b"Subject: leave", b"Content-Type: text/html", b"to: x@example.net"])
async def test_a_field_that_mallory_puts_on_top_of_a_signed_mail_is_not_taken_for_signed(field):
    mail = signed(b"Content-Type: text/plain\r\n" + MAIL)

    assert (await proof(mail, published())).by is ProvenBy.DKIM
    assert (await proof(field + b"\r\n" + mail, published())).by is None


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
async def test_what_the_keys_record_says_is_heeded(tags, why):
    found = await proof(signed(), published(tags=tags))

    assert (found.by is None) == (why is not None)
    assert (why or "") in found.why


async def test_a_key_that_is_not_for_subdomains_is_not():
    found = await proof(signed(i="@news.example.org"), published(tags="t=s"))

    assert "not for subdomains" in found.why


@pytest.mark.parametrize(
    "record",
    [[], ['"v=DKIM1; p="'], ['"p=AAAA"'], ['"p=%%%"'], ['"p=x"', '"p=y"'], ['"hello"'], ['"k=rsa; k=rsa; p=x"']],
)
async def test_a_mail_whose_key_cannot_be_had_is_not_proven(record):
    zone = {"s._domainkey.example.org. TXT": record, "example.org. A": ["192.0.2.1"]}

    assert (await proof(signed(), zone)).by is None


async def test_a_key_is_found_beside_other_records():
    zone = {"s._domainkey.example.org. TXT": ['"site-verification"', *published()["s._domainkey.example.org. TXT"]]}

    assert (await proof(signed(), zone)).by is ProvenBy.DKIM


async def test_of_several_signatures_the_one_that_counts_is_found_within_the_first_five():
    mail = signed()
    for _ in range(4):
        mail = signed(MAIL, domain="provider.example.net").partition(b"From:")[0] + mail
    late = signed(MAIL, domain="provider.example.net").partition(b"From:")[0] + mail

    async with Zone(published()) as zone:
        found = await who_wrote(zone.dns(), mail, BY_HAND, mail_servers=(), authserv_ids=(), now=NOW)
        none = await who_wrote(zone.dns(), late, BY_HAND, mail_servers=(), authserv_ids=(), now=NOW)

        assert (found.by, none.by) == (ProvenBy.DKIM, None)
        assert zone.asked == ["s._domainkey.example.org. TXT"]


async def test_a_bad_signature_does_not_hide_a_good_one():
    bad = signed(bits=2048).partition(b"From:")[0]

    assert (await proof(bad + signed(), published())).by is ProvenBy.DKIM


async def test_a_mail_of_five_megabytes_is_checked_while_the_service_goes_on():
    mail = signed(MAIL + b"beans  and\tmore beans, row by row \r\n" * 140_000)
    turns = 0

    async def watch() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    watching = asyncio.create_task(watch())
    async with Zone(published()) as zone:
        dns = zone.dns()
        await dns.texts("s._domainkey.example.org")
        before = turns
        found = await who_wrote(dns, mail, BY_HAND, mail_servers=(), authserv_ids=(), now=NOW)
        watching.cancel()

    assert found.by is ProvenBy.DKIM
    # It takes a quarter of a second: of one piece that would be few turns.
    assert turns - before > 10


async def test_keys_of_others_may_be_in_the_older_form():
    text = key_text()

    assert (await proof(signed(), {"s._domainkey.example.org. TXT": [f'"{text.rpartition("; ")[2]}"']})).by


async def test_a_key_too_short_is_not_believed():
    text = (
        "p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBANrFhO3b/D4Uis92LfUaOI/eu5ac1ze7bJCQ3vN3pIfElTxdbuJAa65+ideTO8XGgZQ3TdpPHxXJ"
        "ce/2rNFagV0CAwEAAQ=="
    )
    found = await proof(signed(), {"s._domainkey.example.org. TXT": [f'"{text}"']})

    assert "512 bits" in found.why
