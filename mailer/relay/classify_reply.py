"""Classifies a relay's reply to one step of a letter: about the letter, the recipient, us, or the connection."""

from __future__ import annotations

import re
from enum import StrEnum

from mailer.domain.delivery import Concern, RelayOutcome, Verdict
from mailer.mail.bounces.smtp_reply_reason import classify_refusal
from mailer.relay.session_limit import is_session_limit
from mailer.relay.smtp_protocol import Reply, one_line


class Step(StrEnum):
    """The steps of one letter, in order (RFC 5321 section 3.3); the value is the start of the command."""

    RESET = "RSET"
    """Ends a transaction that the previous letter left open."""
    SENDER = "MAIL FROM"
    RECIPIENT = "RCPT TO"
    DATA = "DATA"
    DOT = "."
    """The content, with the dot that ends it."""


OPENING_STEPS = frozenset({Step.RESET, Step.SENDER})
"""Steps before a recipient is named: a reply to them is about no recipient."""
_LETTER_SPECIFIC = re.compile(r"5\.2\.3|5\.3\.4|5\.6\.7")
"""RFC 3463 and RFC 6531: too long for the mailbox or the system, or an address that is not ASCII."""


def is_positive_reply(step: Step, reply: Reply) -> bool:
    """Whether the relay accepts this step: 354 to DATA, 2xx to the others."""
    return reply.code // 100 == (3 if step is Step.DATA else 2)


def classify_reply(step: Step, reply: Reply) -> RelayOutcome:
    """The outcome of a letter whose last reply this is: to the content, or a refusal before it.

    - 5xx about the letter or the recipient: REFUSED. 5xx about the sender (to MAIL FROM always, except for size):
      DEFERRED, since it is not the recipient's fault.
    - 4xx: DEFERRED; to MAIL FROM: UNTRIED, since it says nothing about the letter.
    - Anything unexpected (3xx to RCPT TO): DEFERRED; to the content: UNKNOWN.
    """
    reply_class, text = reply.code // 100, one_line(reply.text)
    if step is Step.RESET or (step is Step.SENDER and reply_class == 4):
        return RelayOutcome(Verdict.UNTRIED, reply.code, text, Concern.THROTTLE, by_relay=True)
    concern = Concern.LETTER if reply.code < 400 else classify_refusal(reply.code, reply.text)
    if step is Step.SENDER and reply_class == 5 and not _is_about_letter(reply):
        return RelayOutcome(Verdict.DEFERRED, reply.code, text, Concern.SENDER, by_relay=True)
    return RelayOutcome(_choose_verdict(step, reply_class, concern), reply.code, text, concern)


def _choose_verdict(step: Step, reply_class: int, concern: Concern) -> Verdict:
    if step is Step.DOT and reply_class < 4:
        return Verdict.ACCEPTED if reply_class == 2 else Verdict.UNKNOWN
    if reply_class == 5 and concern is Concern.LETTER:
        return Verdict.REFUSED
    return Verdict.DEFERRED


def is_about_session(step: Step, reply: Reply) -> bool:
    """Whether a reply on a reused connection is about that connection alone."""
    if step is Step.RESET:
        return True
    return is_session_limit(reply, to_sender=step is Step.SENDER, to_recipient=step is Step.RECIPIENT)


def _is_about_letter(reply: Reply) -> bool:
    return reply.code == 552 or _LETTER_SPECIFIC.match(reply.text) is not None
