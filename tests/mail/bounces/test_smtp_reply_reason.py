"""Whom a refusal concerns, in replies as mail systems write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.delivery import Concern
from mailer.mail.bounces.smtp_reply_reason import classify_refusal

ABOUT_SENDER = [
    "5.7.1 <rosa@example.org>: Relay access denied",
    "5.7.0 Recipient address rejected: No relaying",
    "5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
    "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
    "5.7.1 You are not authorized to send from this address",
    "Unauthenticated senders not allowed",
    "5.7.1 Authentication required",
    "5.7.1 Client host rejected: cannot find your hostname, [192.0.2.7]",
    "5.7.1 Service unavailable; client [192.0.2.7] blocked using zen.spamhaus.org",
    "http://www.spamhaus.org/query/bl?ip=192.0.2.7",
    "5.1.0 MailFrom domain is listed in Spamhaus",
    "5.7.1 IP address blacklisted by recipient",
    "5.7.606 Access denied, banned sending IP [192.0.2.7]",
    "messages from 192.0.2.7 weren't sent: part of their network is on our block list",
    "5.7.1 the sending IP has a poor reputation",
    "5.7.1 very low reputation of the sending domain",
    "5.7.9 Message not accepted for policy reasons",
    "Denied by policy",
    "5.7.20 no passing DKIM signature found",
    "5.7.23 SPF validation failed",
    "5.7.25 reverse DNS validation failed",
    "5.7.26 this mail is unauthenticated",
    "5.7.1 rejected due to the sender domain's DMARC policy",
    "Bad SPF records for lists.example.org",
    "5.7.1 Connections not accepted from servers without a valid sender domain. Fix reverse DNS",
    "Bad DNS PTR resource record",
    "5.1.8 Sender address rejected: Domain not found",
    "Sender rejected",
    "5.7.1 Sender address rejected: not owned by user lists",
    "5.5.0 the from address does not match a verified Sender Identity",
    "5.7.0 quota of sender exceeded",
    "5.4.5 Daily user sending limit exceeded",
    "domain lists.example.org has exceeded the max emails per hour (200/200) allowed",
    "5.7.1 Helo command rejected: need fully-qualified hostname",
    "5.7.0 your account has been suspended, write to support",
]
ABOUT_THE_LETTER = [
    "5.1.1 <rosa@example.org>: Recipient address rejected: User unknown in local recipient table",
    "5.1.1 user unknown; see our policy at https://example.org/policy",
    "5.7.1 <rosa@example.org>: Recipient address rejected: User unknown",
    "5.1.2 Host unknown",
    "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
    "5.4.1 [rosa@example.org]: Recipient address rejected: Access denied",
    "<policy@relay-denied.example.org>... No such user here",
    "5.2.2 <dmarc@example.org>: Mailbox full",
    "5.2.1 The account is disabled by policy",
    "5.7.1 <policy@blocklist.example.org>: no",
    "552 disk quota exceeded",
    "sorry, the mailbox is over quota; ask your server's people",
    "unknown user; contact your mail server's administrator",
    "5.7.1 RESOLVER.RST.AuthRequired; authentication required",
    "5.7.133 sender not authenticated for this group",
    "5.7.1 you are not authorized to send to this recipient",
    "5.7.2 no permission to post to this list",
    "5.3.4 Message size limit exceeded",
    "Message size exceeds fixed limit",
    "5.6.0 This message has been scored as spam",
    "5.7.1 message content rejected",
    "5.7.1 Blacklisted URL in message, see uribl",
    "5.7.1 no",
    "Rejected",
    "",
]


@pytest.mark.parametrize("text", ABOUT_SENDER)
def test_a_refusal_of_our_reputation_concerns_the_sender(text):
    assert classify_refusal(550, text) is Concern.SENDER


@pytest.mark.parametrize("text", ABOUT_THE_LETTER)
def test_a_refusal_of_the_recipient_or_the_content_concerns_this_letter(text):
    assert classify_refusal(550, text) is Concern.LETTER


@pytest.mark.parametrize("code", [530, 535])
def test_an_authentication_code_concerns_the_sender_with_any_text(code):
    assert classify_refusal(code, "5.1.1 user unknown") is Concern.SENDER


@pytest.mark.parametrize("code", [421, 450, 451, 454])
def test_a_throttling_code_concerns_the_rate_with_any_text(code):
    assert classify_refusal(code, "4.7.1 Relay access denied, blocked using a list") is Concern.THROTTLE


def test_any_other_temporary_refusal_concerns_this_letter():
    assert classify_refusal(452, "4.2.2 mailbox full") is Concern.LETTER


@given(st.sampled_from(["5.1.1", "5.1.3", "5.1.6", "5.2.1", "5.2.2"]), st.sampled_from(ABOUT_SENDER))
def test_a_code_for_the_mailbox_decides_over_any_text(code, words):
    assert classify_refusal(550, f"{code} {words}") is Concern.LETTER


@given(st.sampled_from(ABOUT_SENDER), st.sampled_from(["rosa@example.org", "<emma@example.org>"]), st.booleans())
def test_an_address_in_the_text_changes_nothing(words, address, first):
    assert classify_refusal(550, f"{words} {address}") is Concern.SENDER


@given(st.text(max_size=3000))
def test_any_text_is_classified(text):
    assert classify_refusal(550, text) in {Concern.LETTER, Concern.SENDER}
