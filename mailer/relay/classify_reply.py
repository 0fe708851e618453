"""What a relay's reply to one step of a letter means: for the letter, for its reader, for us, for the connection."""

from __future__ import annotations

import re
from enum import StrEnum

from mailer.domain.delivery import Concern, RelayOutcome, Verdict
from mailer.mail.bounces.smtp_reply_reason import classify_refusal
from mailer.relay.session_limit import is_session_limit
from mailer.relay.smtp_protocol import Reply, one_line


class Step(StrEnum):
    """The steps of one letter, in order (RFC 5321 section 3.3); the value is how the command begins."""

    RESET = "RSET"
    """Ends a transaction the letter before left open."""
    SENDER = "MAIL FROM"
    RECIPIENT = "RCPT TO"
    DATA = "DATA"
    DOT = "."
    """The content, with the dot that ends it."""


OPENING_STEPS = frozenset({Step.RESET, Step.SENDER})
"""What begins a letter: an answer to it is about no recipient."""
_LETTER_SPECIFIC = re.compile(r"5\.2\.3|5\.3\.4|5\.6\.7")
"""RFC 3463 and RFC 6531: longer than the mailbox, or the system, takes; an address that is not ASCII."""


def is_positive_reply(step: Step, reply: Reply) -> bool:
    """Whether the relay goes along with this step."""
    return reply.code // 100 == (3 if step is Step.DATA else 2)


def classify_reply(step: Step, reply: Reply) -> RelayOutcome:
    """The outcome of a letter whose last word was this reply: to the dot, or a refusal before it.

    A 5xx is a refusal where it speaks of this letter or its reader. Where it speaks of us (always in answer to MAIL
    FROM, but for a size) the letter waits as with 4xx: it is not the reader's fault. A 4xx to MAIL FROM is no word on
    the letter at all, which was not tried. What is no answer at all (3xx to RCPT TO) waits, too; to the dot it leaves
    the letter's fate unknown.
    """
    said, text = reply.code // 100, one_line(reply.text)
    if step is Step.RESET or (step is Step.SENDER and said == 4):
        return RelayOutcome(Verdict.UNTRIED, reply.code, text, Concern.THROTTLE, by_relay=True)
    concern = Concern.LETTER if reply.code < 400 else classify_refusal(reply.code, reply.text)
    if step is Step.SENDER and said == 5 and not _is_about_letter(reply):
        return RelayOutcome(Verdict.DEFERRED, reply.code, text, Concern.SENDER, by_relay=True)
    return RelayOutcome(_choose_verdict(step, said, concern), reply.code, text, concern)


def _choose_verdict(step: Step, reply_class: int, concern: Concern) -> Verdict:
    if step is Step.DOT and reply_class < 4:
        return Verdict.ACCEPTED if reply_class == 2 else Verdict.UNKNOWN
    if reply_class == 5 and concern is Concern.LETTER:
        return Verdict.REFUSED
    return Verdict.DEFERRED


def is_about_session(step: Step, reply: Reply) -> bool:
    """Whether a reply on a connection that has carried letters is about that connection alone."""
    if step is Step.RESET:
        return True
    return is_session_limit(reply, to_sender=step is Step.SENDER, to_recipient=step is Step.RECIPIENT)


def _is_about_letter(reply: Reply) -> bool:
    return reply.code == 552 or _LETTER_SPECIFIC.match(reply.text) is not None
