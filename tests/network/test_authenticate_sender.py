"""Who really wrote: our own server's word, signatures and hosts, against zones that answer, lie low or fail."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.domain.incoming_message import IncomingMessage
from mailer.domain.sender_authentication import AuthenticationMethod, SenderAuthentication
from mailer.mail.message.parsed_message import ParsedMessage
from mailer.network.authenticate_sender import authenticate_sender
from mailer.network.dns import Dns, open_dns
from tests.support.dns_zone import Zone
from tests.support.signed_mail import MAIL, NOW, dkim_zone, sign_mail

SPF = {"example.org. TXT": ['"v=spf1 ip4:192.0.2.1 -all"']}
OURS = ("127.0.0.1",)
IDS = ("mx.example.net",)
SAYS = b"Authentication-Results: mx.example.net; dmarc=pass header.from=example.org\r\n"
RECEIVED = b"Received: from mail.example.org (mail.example.org [%b]) by mx.example.net (Postfix)\r\n"


def from_host(client: str | None = "192.0.2.1", sender: str = "rosa@example.org") -> IncomingMessage:
    return IncomingMessage(
        sender=sender, recipients=("harvest@lists.example.net",), client=client, helo="mail.example.org"
    )


async def proof(
    mail: bytes = MAIL, arrival: IncomingMessage | None = None, *, dns: Dns | None = None, within_s: float = 8
) -> SenderAuthentication:
    return await authenticate_sender(
        dns,
        ParsedMessage(mail),
        arrival or from_host(),
        mail_servers=OURS,
        authserv_ids=IDS,
        now=NOW,
        within_s=within_s,
    )


async def test_a_mail_from_its_own_domains_host_is_proven_and_one_from_elsewhere_is_not():
    async with Zone(SPF) as zone:
        hers = await proof(dns=zone.dns())
        mallorys = await proof(arrival=from_host("203.0.113.7"), dns=zone.dns())

    assert (hers.method, hers.domain, hers.why) == (
        AuthenticationMethod.SPF,
        "example.org",
        "SPF: pass for example.org",
    )
    assert (mallorys.method, mallorys.domain) == (None, "example.org")
    assert mallorys.why == "DKIM: no signature that counts; SPF: fail for example.org"


async def test_of_a_mail_that_our_own_server_hands_in_the_host_before_it_counts():
    async with Zone(SPF) as zone:
        hers = await proof(RECEIVED % b"192.0.2.1" + MAIL, from_host("127.0.0.1"), dns=zone.dns())
        forged = await proof(
            RECEIVED % b"203.0.113.7" + RECEIVED % b"192.0.2.1" + MAIL, from_host("127.0.0.1"), dns=zone.dns()
        )

    assert (hers.method, forged.method) == (AuthenticationMethod.SPF, None)


async def test_a_signature_goes_before_the_host_and_is_enough():
    async with Zone(SPF | dkim_zone()) as zone:
        assert (await proof(sign_mail(), dns=zone.dns())).method is AuthenticationMethod.DKIM
        assert (await proof(sign_mail(), from_host("203.0.113.7"), dns=zone.dns())).method is AuthenticationMethod.DKIM
        assert (await proof(sign_mail() + b"changed", dns=zone.dns())).method is AuthenticationMethod.SPF


async def test_what_rosa_signed_for_somebody_else_proves_nothing_to_us():
    private = MAIL.replace(b"lists.example.net", b"elsewhere.example.net")
    assert private != MAIL
    async with Zone(SPF | dkim_zone()) as zone:
        replayed = await proof(sign_mail(private), from_host("203.0.113.7"), dns=zone.dns())
        vouched = await proof(
            SAYS + RECEIVED % b"203.0.113.7" + sign_mail(private), from_host("127.0.0.1"), dns=zone.dns()
        )

    assert (replayed.method, vouched.method) == (None, None)


async def test_our_own_servers_word_is_taken_and_nothing_is_asked():
    found = await proof(SAYS + RECEIVED % b"203.0.113.7" + MAIL, from_host("127.0.0.1"))

    assert (found.method, found.domain, found.why) == (
        AuthenticationMethod.OWN_SERVER,
        "example.org",
        "our mail server says dmarc=pass",
    )


async def test_a_strangers_word_is_not():
    assert (await proof(SAYS + RECEIVED % b"192.0.2.1" + MAIL, from_host("203.0.113.7"))).method is None
    ours, theirs = RECEIVED % b"203.0.113.7", RECEIVED % b"192.0.2.1"
    for below in (ours + SAYS + MAIL, ours + SAYS + theirs + MAIL, ours + theirs + SAYS + MAIL):
        assert (await proof(below, from_host("127.0.0.1"))).method is None


async def test_what_the_server_that_took_it_in_said_is_believed_behind_another_of_ours():
    inner = RECEIVED % b"127.0.0.1"
    outer = RECEIVED % b"203.0.113.7"

    assert (await proof(inner + SAYS + outer + MAIL, from_host("127.0.0.1"))).method is AuthenticationMethod.OWN_SERVER
    assert (await proof(inner + outer + SAYS + MAIL, from_host("127.0.0.1"))).method is None


async def test_the_word_of_a_mailboxs_provider_is_taken_above_the_field_that_says_whom_it_came_from():
    found = IncomingMessage(
        sender="rosa@example.org", recipients=("harvest@lists.example.net",), mailbox="imap://lists@mx/INBOX"
    )
    received, within = RECEIVED % b"192.0.2.1", b"Received: by 2002:a05:6402:0:0:0:0 with SMTP id x; Mon\r\n"

    assert (await proof(SAYS + received + MAIL, found)).method is AuthenticationMethod.OWN_SERVER
    assert (await proof(within + SAYS + received + MAIL, found)).method is AuthenticationMethod.OWN_SERVER
    for forged in (
        received + SAYS + received + MAIL,
        within + received + SAYS + MAIL,
        within + received + SAYS + received + MAIL,
        within + SAYS + within + MAIL,
    ):
        assert (await proof(forged, found)).method is None


@pytest.mark.parametrize(
    "mail",
    [
        b"From: mallory@example.com\r\n" + MAIL,
        MAIL.replace(b"<rosa@example.org>", b"<rosa@example.org>, mallory@example.com"),
        MAIL.replace(b"From:", b"X-From:"),
        b"",
        b"\r\n\r\n",
    ],
)
async def test_a_mail_without_one_plain_author_is_not_proven(mail):
    assert await proof(SAYS + mail, from_host("127.0.0.1")) == SenderAuthentication(
        method=None, why="From is not one plain address"
    )


async def test_a_header_beyond_measure_is_not_read():
    mail = b"From: rosa@example.org\r\nX-Long: " + b"x" * 70_000 + b"\r\n\r\nHello\r\n"

    assert await proof(SAYS + mail) == SenderAuthentication(method=None, why="the header is too long")


async def test_nothing_is_asked_where_nothing_could_come_of_it():
    async with Zone({}) as zone:
        found = await proof(arrival=from_host(None), dns=zone.dns())
        stranger = await proof(sign_mail(domain="example.com"), from_host(sender="mallory@example.com"), dns=zone.dns())

        assert zone.queries == []

    assert found.why == "DKIM: no signature that counts; SPF: no envelope sender that counts"
    assert stranger.method is None


async def test_a_subdomain_that_mallory_holds_does_not_speak_for_the_domain():
    held = {"mallory.example.org. TXT": ['"v=spf1 ip4:192.0.2.1 -all"']} | dkim_zone("mallory.example.org")
    mail = sign_mail(domain="mallory.example.org")
    async with Zone(held) as zone:
        found = await proof(mail, from_host(sender="m@mallory.example.org"), dns=zone.dns())

    assert found.method is None
    assert "does not speak for" in found.why


async def test_without_a_dns_nothing_is_proven():
    found = await proof(sign_mail())

    assert (found.method, found.domain, found.why) == (None, "example.org", "there is no DNS to ask")


async def test_a_dns_that_never_answers_is_given_up_in_time():
    async with Zone({}) as zone:
        for name in ("s._domainkey.example.org.", "example.org."):
            zone.is_silent(name)
        began = time.monotonic()

        found = await proof(sign_mail(), dns=zone.dns(), within_s=0.2)

    assert time.monotonic() - began < 20
    assert found.why == "DKIM: no answer within 0.1 s; SPF: no answer within 0.1 s"


async def test_a_dns_that_is_silent_about_the_signature_does_not_keep_us_from_the_host():
    async with Zone(SPF) as zone:
        zone.is_silent("s._domainkey.example.org.")

        assert (await proof(sign_mail(), dns=zone.dns(), within_s=0.4)).method is AuthenticationMethod.SPF


async def test_a_dns_that_fails_is_told():
    async with Zone({}) as zone:
        zone.fails("s._domainkey.example.org.")
        zone.fails("example.org.")

        found = await proof(sign_mail(), dns=zone.dns())

    assert found.method is None
    assert "failed to answer s._domainkey.example.org TXT" in found.why
    assert "failed to answer example.org TXT" in found.why


async def test_a_dns_that_is_not_there_is_told():
    found = await proof(sign_mail(), dns=open_dns([("127.0.0.1", 1)], within_s=0.05), within_s=0.2)

    assert found.method is None


GARBAGE = st.binary(max_size=12) | st.sampled_from(
    [b"\r\n", b"\r\n ", b";", b"=", b":", b"(", b'"', b"\x00", b"From: ", b"d=", b"h=from:", b"<", b"@", b"9" * 5000]
)


@given(changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 8), GARBAGE), max_size=4))
@settings(max_examples=80)
async def test_no_mail_breaks_it_and_what_was_turned_is_not_proven_by_its_signature(changes):
    mail = SAYS.replace(b"dmarc", b"x-none") + RECEIVED % b"203.0.113.7" + sign_mail()
    for where, gone, put in changes:
        at = int(where * len(mail))
        mail = mail[:at] + put + mail[at + gone :]
    async with Zone(dkim_zone()) as zone:
        found = await proof(mail, from_host("127.0.0.1"), dns=zone.dns())

    if b"rosa@example.org" not in mail or b"Beans" not in mail:
        assert found.method is not AuthenticationMethod.DKIM


@given(st.binary(max_size=300))
@settings(max_examples=60)
async def test_no_octets_break_it(octets):
    for mail in (octets, b"From: rosa@example.org\r\nDKIM-Signature: " + octets, SAYS + octets):
        await proof(mail)
