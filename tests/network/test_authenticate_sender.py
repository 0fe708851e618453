"""Authenticating senders against DNS zones that answer, time out or fail."""

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


async def authenticate(
    mail: bytes = MAIL, message: IncomingMessage | None = None, *, dns: Dns | None = None, within_s: float = 8
) -> SenderAuthentication:
    return await authenticate_sender(
        dns,
        ParsedMessage(mail),
        message or from_host(),
        mail_servers=OURS,
        authserv_ids=IDS,
        now=NOW,
        within_s=within_s,
    )


async def test_a_mail_from_a_host_of_its_domain_is_authenticated_and_one_from_elsewhere_is_not():
    async with Zone(SPF) as zone:
        hers = await authenticate(dns=zone.dns())
        mallorys = await authenticate(message=from_host("203.0.113.7"), dns=zone.dns())

    assert (hers.method, hers.domain, hers.why) == (
        AuthenticationMethod.SPF,
        "example.org",
        "SPF: pass for example.org",
    )
    assert (mallorys.method, mallorys.domain) == (None, "example.org")
    assert mallorys.why == "DKIM: no signature that counts; SPF: fail for example.org"


async def test_the_host_before_our_own_server_is_checked():
    async with Zone(SPF) as zone:
        hers = await authenticate(RECEIVED % b"192.0.2.1" + MAIL, from_host("127.0.0.1"), dns=zone.dns())
        forged = await authenticate(
            RECEIVED % b"203.0.113.7" + RECEIVED % b"192.0.2.1" + MAIL, from_host("127.0.0.1"), dns=zone.dns()
        )

    assert (hers.method, forged.method) == (AuthenticationMethod.SPF, None)


async def test_a_signature_is_verified_first_and_is_enough():
    async with Zone(SPF | dkim_zone()) as zone:
        assert (await authenticate(sign_mail(), dns=zone.dns())).method is AuthenticationMethod.DKIM
        assert (
            await authenticate(sign_mail(), from_host("203.0.113.7"), dns=zone.dns())
        ).method is AuthenticationMethod.DKIM
        assert (await authenticate(sign_mail() + b"changed", dns=zone.dns())).method is AuthenticationMethod.SPF


async def test_a_signed_mail_to_somebody_else_is_not_authenticated():
    private = MAIL.replace(b"lists.example.net", b"elsewhere.example.net")
    assert private != MAIL
    async with Zone(SPF | dkim_zone()) as zone:
        replayed = await authenticate(sign_mail(private), from_host("203.0.113.7"), dns=zone.dns())
        vouched = await authenticate(
            SAYS + RECEIVED % b"203.0.113.7" + sign_mail(private), from_host("127.0.0.1"), dns=zone.dns()
        )

    assert (replayed.method, vouched.method) == (None, None)


async def test_our_own_servers_result_is_believed_without_a_dns_query():
    found = await authenticate(SAYS + RECEIVED % b"203.0.113.7" + MAIL, from_host("127.0.0.1"))

    assert (found.method, found.domain, found.why) == (
        AuthenticationMethod.OWN_SERVER,
        "example.org",
        "our mail server says dmarc=pass",
    )


async def test_an_unknown_servers_result_is_not_believed():
    assert (await authenticate(SAYS + RECEIVED % b"192.0.2.1" + MAIL, from_host("203.0.113.7"))).method is None
    ours, theirs = RECEIVED % b"203.0.113.7", RECEIVED % b"192.0.2.1"
    for below in (ours + SAYS + MAIL, ours + SAYS + theirs + MAIL, ours + theirs + SAYS + MAIL):
        assert (await authenticate(below, from_host("127.0.0.1"))).method is None


async def test_the_result_of_the_first_of_our_servers_is_believed():
    inner = RECEIVED % b"127.0.0.1"
    outer = RECEIVED % b"203.0.113.7"

    assert (
        await authenticate(inner + SAYS + outer + MAIL, from_host("127.0.0.1"))
    ).method is AuthenticationMethod.OWN_SERVER
    assert (await authenticate(inner + outer + SAYS + MAIL, from_host("127.0.0.1"))).method is None


async def test_a_mailbox_providers_result_is_believed_above_its_received_field():
    found = IncomingMessage(
        sender="rosa@example.org", recipients=("harvest@lists.example.net",), mailbox="imap://lists@mx/INBOX"
    )
    received, within = RECEIVED % b"192.0.2.1", b"Received: by 2002:a05:6402:0:0:0:0 with SMTP id x; Mon\r\n"

    assert (await authenticate(SAYS + received + MAIL, found)).method is AuthenticationMethod.OWN_SERVER
    assert (await authenticate(within + SAYS + received + MAIL, found)).method is AuthenticationMethod.OWN_SERVER
    for forged in (
        received + SAYS + received + MAIL,
        within + received + SAYS + MAIL,
        within + received + SAYS + received + MAIL,
        within + SAYS + within + MAIL,
    ):
        assert (await authenticate(forged, found)).method is None


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
async def test_a_mail_without_a_sole_author_is_not_authenticated(mail):
    assert await authenticate(SAYS + mail, from_host("127.0.0.1")) == SenderAuthentication(
        method=None, why="From is not one plain address"
    )


async def test_a_mail_with_an_overlong_header_is_not_authenticated():
    mail = b"From: rosa@example.org\r\nX-Long: " + b"x" * 70_000 + b"\r\n\r\nHello\r\n"

    assert await authenticate(SAYS + mail) == SenderAuthentication(method=None, why="the header is too long")


async def test_no_dns_query_is_made_that_could_not_authenticate_the_mail():
    async with Zone({}) as zone:
        found = await authenticate(message=from_host(None), dns=zone.dns())
        other = await authenticate(
            sign_mail(domain="example.com"), from_host(sender="mallory@example.com"), dns=zone.dns()
        )

        assert zone.queries == []

    assert found.why == "DKIM: no signature that counts; SPF: no envelope sender that counts"
    assert other.method is None


async def test_a_subdomain_does_not_authenticate_its_parent():
    held = {"mallory.example.org. TXT": ['"v=spf1 ip4:192.0.2.1 -all"']} | dkim_zone("mallory.example.org")
    mail = sign_mail(domain="mallory.example.org")
    async with Zone(held) as zone:
        found = await authenticate(mail, from_host(sender="m@mallory.example.org"), dns=zone.dns())

    assert found.method is None
    assert "does not speak for" in found.why


async def test_without_dns_nothing_is_authenticated():
    found = await authenticate(sign_mail())

    assert (found.method, found.domain, found.why) == (None, "example.org", "there is no DNS to ask")


async def test_a_dns_that_never_answers_is_given_up_in_time():
    async with Zone({}) as zone:
        for name in ("s._domainkey.example.org.", "example.org."):
            zone.is_silent(name)
        began = time.monotonic()

        found = await authenticate(sign_mail(), dns=zone.dns(), within_s=0.2)

    assert time.monotonic() - began < 20
    assert found.why == "DKIM: no answer within 0.1 s; SPF: no answer within 0.1 s"


async def test_spf_is_verified_although_the_dns_does_not_answer_for_dkim():
    async with Zone(SPF) as zone:
        zone.is_silent("s._domainkey.example.org.")

        assert (await authenticate(sign_mail(), dns=zone.dns(), within_s=0.4)).method is AuthenticationMethod.SPF


async def test_a_dns_failure_is_in_the_reason():
    async with Zone({}) as zone:
        zone.fails("s._domainkey.example.org.")
        zone.fails("example.org.")

        found = await authenticate(sign_mail(), dns=zone.dns())

    assert found.method is None
    assert "failed to answer s._domainkey.example.org TXT" in found.why
    assert "failed to answer example.org TXT" in found.why


async def test_an_unreachable_dns_is_in_the_reason():
    found = await authenticate(sign_mail(), dns=open_dns([("127.0.0.1", 1)], within_s=0.05), within_s=0.2)

    assert found.method is None


GARBAGE = st.binary(max_size=12) | st.sampled_from(
    [b"\r\n", b"\r\n ", b";", b"=", b":", b"(", b'"', b"\x00", b"From: ", b"d=", b"h=from:", b"<", b"@", b"9" * 5000]
)


@given(changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 8), GARBAGE), max_size=4))
@settings(max_examples=80)
async def test_no_mail_raises_and_a_changed_one_is_not_authenticated_by_its_signature(changes):
    mail = SAYS.replace(b"dmarc", b"x-none") + RECEIVED % b"203.0.113.7" + sign_mail()
    for where, gone, put in changes:
        at = int(where * len(mail))
        mail = mail[:at] + put + mail[at + gone :]
    async with Zone(dkim_zone()) as zone:
        found = await authenticate(mail, from_host("127.0.0.1"), dns=zone.dns())

    if b"rosa@example.org" not in mail or b"Beans" not in mail:
        assert found.method is not AuthenticationMethod.DKIM


@given(st.binary(max_size=300))
@settings(max_examples=60)
async def test_no_octets_raise(octets):
    for mail in (octets, b"From: rosa@example.org\r\nDKIM-Signature: " + octets, SAYS + octets):
        await authenticate(mail)
