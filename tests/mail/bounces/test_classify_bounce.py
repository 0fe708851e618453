"""A reply's text decides over its code: mail systems put 5.1.1 before many refusals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.bounce import DsnAction, Severity
from mailer.mail.bounces.classify_bounce import classify_bounce
from mailer.mail.bounces.parse_bounce import parse_bounce
from tests.support.bounce_mails import bounce

ABOUT_SENDER = """
rosa has sent to too many recipients today
client.example.net has sent to too many unknown users
The sender has sent to too many invalid recipients
Account has sent too many emails
has exceeded the maximum number of recipients per hour
sender has exceeded hourly limit
You have sent too many messages, try again later
rate limit exceeded, try again later
too many messages from this sender
Recipient address rejected: too many connections from your host
Your server is throttled
my name was rejected in reply to HELO
<rosa@example.org>: your name was rejected (in reply to HELO command)
name was rejected (in reply to EHLO command)
my name mailer.example.net was rejected
HELO name rejected
Bad HELO: my name is not accepted
Helo command rejected: Host not found
Client host rejected: cannot find your hostname
Service unavailable; client [192.0.2.1] blocked using bl.example.net
We do not accept mail from your IP
IP listed at bl.example.net
Rejected due to policy
Mail rejected: SPF check failed for example.net
Unauthenticated email is not accepted due to domain's DMARC policy
Sender address rejected: Domain not found
Callout verification failed: 550 sender verify failed
relaying denied
Message rejected as spam
rejected: message contains a virus
attachment type not allowed
""".strip().splitlines()
TEMPORARY = """
Greylisted, please try again in 300 seconds
User unknown; greylisted, try again later
temporarily rejected, try again later
Mailbox temporarily unavailable
account temporarily suspended
Mailbox is temporarily disabled
mailbox full
Quota exceeded
The email account that you tried to reach is over quota
The email account that you tried to reach is disabled
user is receiving mail at a rate that prevents additional messages
Recipient address rejected: unverified address: connect to mx.example.org: Connection timed out
Recipient address rejected: unverified address: Address verification in progress
Recipient verification temporarily failed
Address rejected, server busy
internal error, try later
LDAP server unavailable, please retry
database lookup failure
message size exceeds fixed limit
Host or domain name not found. Name service error for name=example.org type=MX: Host not found, try again
Name service error for name=example.org type=A: Host not found, try again
Name service error for name=example.org type=MX: Malformed or unexpected name server reply
Host or domain name not found. Name service error for name=example.org type=MX: SERVFAIL
Name service error for name=example.org type=MX
DNS lookup failed: SERVFAIL
DNS timeout
""".strip().splitlines()
ADDRESS_GONE = """
User unknown
<rosa@example.org>: Recipient address rejected: User unknown in virtual mailbox table
Address does not exist
no such user here, contact spam@example.org
Host or domain name not found. Name service error for name=example.org type=MX: Host not found
Domain does not exist
example.org responded with code NXDOMAIN
[rosa@example.org]: Recipient address rejected: Access denied
""".strip().splitlines()
CODES = ("5.1.1", "5.1.2", "5.1.10", "5.4.4")


def severities(text: str) -> set[Severity]:
    """The severities of a text with each code, in the reply and in the Status field."""
    replies = [(f"550 {code} {text}", code) for code in CODES] + [(text, code) for code in CODES]
    return {
        classify_bounce(address="rosa@example.org", action=DsnAction.FAILED, status=code, diagnostic=one).severity
        for one, code in replies
    }


@pytest.mark.parametrize("text", ABOUT_SENDER)
def test_a_text_about_the_sender_is_sender_side_with_any_code(text: str) -> None:
    assert severities(text) == {Severity.SENDER_SIDE}


@pytest.mark.parametrize("text", TEMPORARY)
def test_a_text_about_temporary_trouble_is_soft_with_any_code(text: str) -> None:
    assert severities(text) == {Severity.SOFT}


@pytest.mark.parametrize("text", ADDRESS_GONE)
def test_an_address_that_is_gone_is_hard(text: str) -> None:
    code = "5.4.1" if text.startswith("[") else "5.1.1"
    bounce = classify_bounce(
        address="rosa@example.org", action=DsnAction.FAILED, status=code, diagnostic=f"550 {code} {text}"
    )

    assert bounce.severity is Severity.HARD


@given(st.sampled_from(ABOUT_SENDER + TEMPORARY), st.sampled_from(["5.1.1", "5.0.0", "5.1.2"]), st.booleans())
def test_the_notices_text_decides_over_a_report_with_a_code_alone(text: str, code: str, same: bool) -> None:
    raw = bounce("rosa@example.org", f"550 {code}{f' {text}' if same else ''}")
    raw = raw.replace(b"Your letter did not get there.", f"Your letter did not get there: {text}".encode())

    assert [one.severity for one in parse_bounce(raw).recipients] != [Severity.HARD]
