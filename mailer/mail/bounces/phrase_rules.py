"""Recognising what a mail system's words mean, by tables of phrases: the same for refusals and for what comes back."""

from __future__ import annotations

from mailer.domain.bounce import Reason
from mailer.mail.bounces.phrase_matcher import Phrases, spoken
from mailer.mail.bounces.phrases_content import CONTENT, LARGE, SPAM
from mailer.mail.bounces.phrases_mailbox import CLOSED, FULL, GONE, RESTRICTED, SUSPENDED, YONDER
from mailer.mail.bounces.phrases_network import EXPIRED, LATER, NO_ANSWER, NO_DOMAIN, NO_HOST, NO_WAY, TROUBLE
from mailer.mail.bounces.phrases_sender import BLOCKED, LOGIN, OVERFLOW, PACE, POLICY, PROOF, RELAYING, SENDER
from mailer.mail.bounces.phrases_unknown_user import REFUSED, UNAVAILABLE, UNKNOWN

ROWS: tuple[tuple[Reason, str], ...] = (
    (Reason.SENDER, SENDER),
    (Reason.RATE, PACE),
    (Reason.CONTENT, CONTENT),
    (Reason.UNREACHABLE, LATER),
    (Reason.UNKNOWN_HOST, NO_DOMAIN),
    (Reason.UNREACHABLE, NO_ANSWER),
    (Reason.TOO_LARGE, LARGE),
    (Reason.FULL, FULL),
    (Reason.MOVED, YONDER),
    (Reason.DISABLED, CLOSED),
    (Reason.SUSPENDED, SUSPENDED),
    (Reason.DISABLED, GONE),
    (Reason.RESTRICTED, RESTRICTED),
    (Reason.UNKNOWN_USER, UNKNOWN),
    (Reason.RELAY_DENIED, RELAYING),
    (Reason.AUTHENTICATION, PROOF),
    (Reason.BLOCKED, BLOCKED),
    (Reason.AUTHENTICATION, LOGIN),
    (Reason.CONTENT, SPAM),
    (Reason.RATE, OVERFLOW),
    (Reason.POLICY, POLICY),
    (Reason.UNKNOWN_HOST, NO_HOST),
    (Reason.EXPIRED, EXPIRED),
    (Reason.UNREACHABLE, NO_WAY),
    (Reason.UNKNOWN_USER, UNAVAILABLE),
    (Reason.SYSTEM_TROUBLE, TROUBLE),
    (Reason.UNKNOWN_USER, REFUSED),
)
"""What is said, most telling first: our sender's address by name, or how much we send, outweighs all else; words about
the letter and its reader outweigh those about us, so that a mailbox that is gone never counts as our trouble."""
_OF_READER = frozenset({Reason.FULL, Reason.MOVED, Reason.DISABLED, Reason.SUSPENDED, Reason.UNKNOWN_USER})
"""Not where it is "your account": that is ours."""


_PHRASES = Phrases([phrases for _, phrases in ROWS])


def reason_of_words(text: str) -> Reason | None:
    """Why a letter was refused, by the words alone; None where they tell nothing. Reads 3000 characters."""
    said = spoken(text)
    best = min((rank for rank, at in _PHRASES.found(said) if not _ours(said, rank, at)), default=None)
    return None if best is None else ROWS[best][0]


def _ours(said: str, rank: int, at: int) -> bool:
    return ROWS[rank][0] in _OF_READER and said.endswith(" your ", 0, at)
