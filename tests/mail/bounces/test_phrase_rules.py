"""What mail systems' own words count for: replies as they are given, in many tongues."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.domain.bounce import BounceReason, DsnAction, Severity, determine_severity
from mailer.mail.bounces.smtp_reply_reason import find_reason, is_temporary

HARD = """
550 5.1.1 The email account that you tried to reach does not exist
550-5.1.1 <rosa@example.net>: Recipient address rejected: User unknown in virtual mailbox table
550 No such user (rosa@example.net)
550 Requested action not taken: mailbox unavailable
550 5.4.1 Recipient address rejected: Access denied. AS(201806281)
554 delivery error: dd Requested mail action aborted, mailbox not found
511 sorry, no mailbox here by that name (#5.1.1 - chkuser)
550 Address rejected: rosa@example.net
550 Invalid recipient rosa@example.net (Mode: normal)
550 non-local recipient verification failed
550 This address no longer accepts mail.
550 5.1.1 Email address could not be found, or was misspelled (G8)
550 Unrouteable address
550 Account closed
550 5.2.1 The email account that you tried to reach is disabled permanently
450 4.1.1 <rosa@example.net>: Recipient address rejected: User unknown in local recipient table
550 5.1.6 <rosa@example.net>: recipient no longer on server
Sorry, I couldn't find any host named example.net. (#5.1.2)
Host or domain name not found. Name service error for name=example.net type=A: Host not found
Domain example.net does not accept mail (nullMX)
550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
550 Benutzer unbekannt
550 5.1.1 Empfaenger existiert nicht
550 Adresse inexistante
550 5.1.1 El usuario no existe
550 Utente sconosciuto
550 Kullanıcı bulunamadı
550 Пользователь не найден
550 收件人不存在
550 #5.1.0 Address rejected.
550 this user no longer exists
501 5.1.3 Bad recipient address syntax
"""
SOFT = """
552 5.2.2 The email account that you tried to reach is over quota
552 Requested mail action aborted: exceeded storage allocation
422 The recipient's mailbox is over its storage limit
550 User rosa@example.net has too many messages on the server
550 5.7.1 user has exhausted allowed storage space
552 5.3.4 Message size exceeds fixed limit
550 5.2.1 This mailbox has been blocked due to inactivity
550 5.2.1 <rosa@example.net>: Mailbox disabled, not accepting messages
554 5.2.1 The account has been suspended
450 4.2.1 The user you are trying to contact is receiving mail too quickly
connect to example.net[192.0.2.1]:25: Connection refused
conversation with example.net timed out while receiving the initial server greeting
Host or domain name not found. Name service error: Host not found, try again
retry timeout exceeded
451 4.7.1 Greylisting in action, please come back later
452 4.3.1 Insufficient system storage
mail for example.net loops back to myself
554 5.4.14 Hop count exceeded - possible mail loop
451 Temporary local problem - please try later
450 Requested mail action not taken: mailbox unavailable
550 Postfach voll
550 Boîte pleine
550 Ящик переполнен
550 邮箱已满
550 Rejected
"""
SENDER_SIDE = """
554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using b.barracudacentral.org
550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent: part of their network is on our block list (S3150)
421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints
553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list
554 5.7.9 Message not accepted for policy reasons
550-5.7.26 Unauthenticated email from example.org is not accepted due to domain's DMARC policy
550 SPF check failed
554 Reject due to policy restrictions
550 5.2.0 Mail rejete. Mail rejected. ofr_506 [506]
554 5.7.1 [2] Message rejected under suspicion of SPAM
550 Administrative prohibition - envelope blocked
550 Rejected by header based Anti-Spoofing policy
550-Please turn on SMTP Authentication. Not permitted to relay through this server without authentication.
530 5.7.0 Must issue a STARTTLS command first
450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]
550-Verification failed for <ada@example.org> 550 Sender verify failed
550 5.7.606 Access denied, banned sending IP [192.0.2.1]
550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup
552-5.7.0 This message was blocked because its content presents a potential security issue
550 5.7.1 Virus found in message
452 4.5.3 Too many recipients
550 Too many invalid recipients
501 5.1.7 Invalid address sender
550 Mail from this domain is refused
554 5.7.1 <rosa@example.net>: Recipient address rejected: Access denied
"""


def _classify_severity(said: str) -> Severity:
    return determine_severity(find_reason(said), DsnAction.FAILED, temporary=is_temporary(said), after_data=False)


@pytest.mark.parametrize("said", HARD.strip().splitlines())
def test_an_address_that_nobody_reads_is_hard(said: str) -> None:
    assert _classify_severity(said) is Severity.HARD


@pytest.mark.parametrize("said", SOFT.strip().splitlines())
def test_what_may_go_better_another_time_is_soft(said: str) -> None:
    assert _classify_severity(said) is Severity.SOFT


@pytest.mark.parametrize("said", SENDER_SIDE.strip().splitlines())
def test_what_is_about_us_or_the_letter_is_sender_side(said: str) -> None:
    assert _classify_severity(said) is Severity.SENDER_SIDE


def test_a_host_that_could_not_be_found_in_time_is_soft_and_a_user_refused_after_the_letter_too() -> None:
    assert (
        determine_severity(BounceReason.UNKNOWN_HOST, DsnAction.FAILED, temporary=True, after_data=False)
        is Severity.SOFT
    )
    assert (
        determine_severity(BounceReason.UNKNOWN_USER, DsnAction.FAILED, temporary=False, after_data=True)
        is Severity.SOFT
    )


@given(
    st.sampled_from(list(BounceReason)), st.sampled_from([each for each in DsnAction if each is not DsnAction.FAILED])
)
def test_what_has_not_failed_counts_for_nothing(reason: BounceReason, action: DsnAction) -> None:
    assert determine_severity(reason, action, temporary=False, after_data=False) is Severity.IGNORE
