"""The sending host, by the Received fields of mail servers in use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.incoming_message import IncomingMessage
from mailer.mail.message.header_section import parse_header_section
from mailer.mail.message.received import UNKNOWN_HOST, SendingHost, parse_received, trace_received

OURS = ("127.0.0.1", "::1", "198.51.100.0/28")
POSTFIX = "from mail.example.org (mx.example.org [192.0.2.1]) by lists.example.net (Postfix) with ESMTPS id 4X"
TLS = (
    "from a.example.org (a.example.org [192.0.2.1])\r\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384"
    ' (256/256 bits)\r\n\t key-exchange X25519)\r\n\t(Client CN "[203.0.113.9]", Issuer "CA" (verified OK))\r\n'
    "\tby x (Postfix) with ESMTPS"
)
LOCAL = "from localhost (localhost [127.0.0.1]) by lists.example.net (Postfix) with ESMTP id 5Y"


def handed_in(by: str | None, *, helo: str | None = "their.helo.example.org") -> IncomingMessage:
    return IncomingMessage(sender="rosa@example.org", recipients=("harvest@lists.example.net",), client=by, helo=helo)


def mail(*received: str) -> bytes:
    return "".join(f"Received: {one}\r\n" for one in received).encode() + b"From: rosa@example.org\r\n\r\nHello\r\n"


def source(octets: bytes, message: IncomingMessage) -> SendingHost:
    return trace_received(parse_header_section(octets), message, OURS).source


@pytest.mark.parametrize(
    ("value", "address", "helo"),
    [
        (POSTFIX, "192.0.2.1", "mail.example.org"),
        ("from mail.example.org (unknown [192.0.2.1]) by x", "192.0.2.1", "mail.example.org"),
        ("from mail.example.org (mx.example.org [IPv6:2001:db8::1]) by x", "2001:db8::1", "mail.example.org"),
        (
            TLS,
            "192.0.2.1",
            "a.example.org",
        ),
        ("from [203.0.113.9] (unknown [192.0.2.1]) by x (Postfix) with ESMTP", "192.0.2.1", None),
        ("from [192.0.2.1] (helo=mail.example.org) by x with esmtp (Exim 4.97)", "192.0.2.1", "mail.example.org"),
        ("from [192.0.2.1] (port=40100 helo=[203.0.113.9]) by x with esmtp", "192.0.2.1", "[203.0.113.9]"),
        ("from mx.example.org ([192.0.2.1] helo=mail.example.org) by x", "192.0.2.1", "mail.example.org"),
        ("from mx.example.org ([192.0.2.1]:52011 ident=[203.0.113.9] helo=m) by x", "192.0.2.1", "m"),
        ("from mx.example.org ([2001:db8::1]) by x with esmtps (TLS1.3) tls TLS_AES (Exim)", "2001:db8::1", None),
        ("from mail.example.org (mx.example.org [192.0.2.1]) by x (OpenSMTPD) with ESMTPS", "192.0.2.1", None),
        ("from m (IDENT:[203.0.113.9]@mx.example.org [192.0.2.1] (may be forged)) by x (8.17)", "192.0.2.1", "m"),
        ("from unknown (HELO mail.example.org) (192.0.2.1)\r\n  by x with SMTP", "192.0.2.1", "mail.example.org"),
        ("from mx.example.org (HELO [203.0.113.9]) (rosa@192.0.2.1) by x", "192.0.2.1", "[203.0.113.9]"),
        ("from mail.example.org (mx.example.org [192.0.2.1])\r\n\tby x (Haraka/3.0.3) with ESMTPS", "192.0.2.1", None),
        ("from m (mx.example.org. [192.0.2.1]) (TLSv1.3) by x (Stalwart SMTP) with ESMTPS", "192.0.2.1", "m"),
        ("from a.example.org (192.0.2.1) by b.example.org (10.0.0.9) with Microsoft SMTP Server", "192.0.2.1", None),
        ("from mail.example.org (mx [::ffff:192.0.2.1]) by x (Courier)", "192.0.2.1", "mail.example.org"),
        ("from evil([203.0.113.9]) (mx.example.org [192.0.2.1]) by x", "192.0.2.1", None),
        ("from evil(a [203.0.113.9]) (mx.example.org [192.0.2.1]) by x", None, None),
        ("by x (Postfix, from userid 1000) id 4X", None, None),
        ("from rosa by x with local (Exim 4.97)", None, "rosa"),
        ("(qmail 1234 invoked by uid 1000); 1 Mar 2026", None, None),
        ("from m (mx.example.org [999.0.2.1]) by x", None, "m"),
        ("from m ((((((( [192.0.2.1] by x", None, "m"),
        ("", None, None),
        ("from ", None, None),
    ],
)
def test_the_received_field_of_each_server_is_parsed(value, address, helo):
    # As the fields are read: unfolded.
    found = parse_received(parse_header_section(mail(value)).values("received")[0])

    assert (found[0] and str(found[0])) == address
    assert helo is None or found[1] == helo


def test_an_unknown_client_is_the_sending_host_whatever_the_mail_says():
    found = trace_received(parse_header_section(mail(POSTFIX)), handed_in("203.0.113.7"), OURS)

    assert (found.source, found.own_hops) == (SendingHost(address="203.0.113.7", helo="their.helo.example.org"), 0)


def test_a_link_local_address_is_read_without_its_zone():
    assert source(mail(), handed_in("fe80::1%eth0")).address == "fe80::1"


@pytest.mark.parametrize("server", ["127.0.0.1", "198.51.100.3", "::1", "::ffff:127.0.0.1"])
def test_the_topmost_field_of_a_mail_from_our_own_server_names_the_sending_host(server):
    forged = "from bank.example.com (bank.example.com [203.0.113.9]) by lists.example.net (Postfix)"

    found = trace_received(parse_header_section(mail(POSTFIX, forged)), handed_in(server), OURS)

    assert (found.source, found.own_hops) == (SendingHost(address="192.0.2.1", helo="mail.example.org"), 1)


def test_a_filter_on_our_own_server_is_skipped():
    assert source(mail(LOCAL, LOCAL, POSTFIX), handed_in("127.0.0.1")).address == "192.0.2.1"


@pytest.mark.parametrize("received", [[], [LOCAL], [LOCAL] * 5 + [POSTFIX], [LOCAL, "by x (Postfix, from userid 1)"]])
def test_a_mail_written_on_our_own_server_has_no_sending_host(received):
    assert source(mail(*received), handed_in("127.0.0.1")) == UNKNOWN_HOST


def test_a_mail_from_a_mailbox_has_a_sending_host_only_behind_our_own_servers():
    found = IncomingMessage(
        sender="rosa@example.org", recipients=("harvest@lists.example.net",), mailbox="imap://lists@mx/INBOX"
    )

    alone = trace_received(parse_header_section(mail(POSTFIX, POSTFIX)), found, OURS)
    behind = trace_received(parse_header_section(mail(LOCAL, POSTFIX)), found, OURS)

    assert (alone.source, alone.own_hops) == (UNKNOWN_HOST, 1)
    assert (behind.source, behind.own_hops) == (SendingHost(address="192.0.2.1", helo="mail.example.org"), 2)


@pytest.mark.parametrize("client", [None, "", "unix:/run/lmtp"])
def test_a_client_without_an_ip_address_is_unknown(client):
    assert source(mail(POSTFIX), handed_in(client)) == UNKNOWN_HOST


@given(st.text(st.sampled_from("from helo=by[]():;@.19 IPv6\t"), max_size=80) | st.text(max_size=60))
def test_no_received_field_raises_or_has_its_helo_taken_for_the_address(text):
    parse_received(text)
    helo = "".join(text.split()) or "x"

    address, _ = parse_received(f"from {helo} (unknown [192.0.2.1]) by lists.example.net (Postfix)")

    # A HELO with a parenthesis may make it unreadable, nothing more.
    assert address is None or str(address) == "192.0.2.1"


@given(st.binary(max_size=300))
def test_no_mail_raises(octets):
    trace_received(parse_header_section(b"Received: " + octets), handed_in("127.0.0.1"), OURS)
