"""bounce_phrases.toml is in order, and real replies in many languages get the right severity by it."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator

import pytest

from mailer.domain.bounce import BounceReason, DsnAction, Severity, determine_severity
from mailer.mail.bounces.bounce_phrases import PHRASE_FILE, load_bounce_phrases
from mailer.mail.bounces.phrase_matcher import PhraseMatcher, normalize_words
from mailer.mail.bounces.smtp_reply_reason import find_reason, is_temporary

TABLES = tomllib.loads(PHRASE_FILE.read_text(encoding="utf-8"))
LISTS = {table["name"]: table["phrases"] for table in TABLES["reason"]} | TABLES["notice"]
RANKED = [(rank, phrase) for rank, table in enumerate(TABLES["reason"]) for phrase in table["phrases"]]
MOST_EXAMPLES = 200

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


def _severity(reply: str) -> Severity:
    return determine_severity(find_reason(reply), DsnAction.FAILED, temporary=is_temporary(reply), after_data=False)


@pytest.mark.parametrize("reply", HARD.strip().splitlines())
def test_a_reply_that_the_address_is_gone_is_hard(reply: str) -> None:
    assert _severity(reply) is Severity.HARD


@pytest.mark.parametrize("reply", SOFT.strip().splitlines())
def test_a_reply_about_temporary_trouble_is_soft(reply: str) -> None:
    assert _severity(reply) is Severity.SOFT


@pytest.mark.parametrize("reply", SENDER_SIDE.strip().splitlines())
def test_a_reply_about_the_sender_or_the_content_is_sender_side(reply: str) -> None:
    assert _severity(reply) is Severity.SENDER_SIDE


def examples(phrase: str) -> Iterator[str]:
    """Texts that a phrase is meant to match, the plainest first."""
    choices: list[list[str]] = []
    for word in phrase.split():
        if word == "~":
            choices.append(["", "so to say"])
        elif word == "#":
            choices.append(["5"])
        elif word == "$":
            choices.append([""])
        else:
            words = [one.replace("*", end) for one in word.removeprefix("?").split("|") for end in ("", "s")]
            choices.append([*words, ""] if word.startswith("?") else words)
    texts = itertools.islice(itertools.product(*choices), MOST_EXAMPLES)
    return (" ".join(filter(None, words)) for words in texts)


def ranks(text: str) -> list[int]:
    return sorted({rank for rank, _ in load_bounce_phrases().reason_phrases.find_all(normalize_words(text))})


def test_every_table_has_a_unique_name_and_a_known_reason() -> None:
    assert len(LISTS) == len(TABLES["reason"]) + len(TABLES["notice"])
    assert load_bounce_phrases().reasons == tuple(BounceReason(table["reason"]) for table in TABLES["reason"])


@pytest.mark.parametrize("name", LISTS)
def test_the_phrases_of_a_table_are_sorted_and_unique(name: str) -> None:
    assert LISTS[name] == sorted(set(LISTS[name]))


@pytest.mark.parametrize("name", LISTS)
def test_every_phrase_compiles_and_matches_its_own_text(name: str) -> None:
    matchers = {phrase: PhraseMatcher([[phrase]]) for phrase in LISTS[name]}

    failed = [
        (phrase, text) for phrase in matchers for text in examples(phrase) if not matchers[phrase].occurs_in(text)
    ]

    assert failed == []


def test_no_phrase_is_shadowed_by_an_earlier_table() -> None:
    shadowed = [phrase for rank, phrase in RANKED if all(min(ranks(text)) < rank for text in examples(phrase))]

    assert shadowed == []
