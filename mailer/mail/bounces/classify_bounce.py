"""What is said of one recipient, judged: why the letter came back, and what that counts for."""

from __future__ import annotations

import re

from mailer.domain.bounce import Action, Reason, ReturnedFor, weight_of
from mailer.mail.bounces.enhanced_status_code import code_in
from mailer.mail.bounces.phrase_rules import reason_of_words
from mailer.mail.bounces.smtp_reply_reason import NOBODY_THERE, is_temporary, reason_of, told_reason

_LONGEST_SAID = 1000
_UNSHOWN = re.compile("[\x00-\x20\x7f-\xa0\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
_LATE = re.compile(
    r"in reply to (?:end of )?data|after (?:end of )?data\b|failed after i sent the message"
    r"|after sending (?:the )?message|end of message|>>> (?:data|\.)\s{0,20}<<< ?[45]",
    re.IGNORECASE,
)
_REFUSED_BEFORE = re.compile(
    r"<<< ?5\d\d.{0,40}(?:need rcpt|no valid recip|no recipients|valid rcpt|rcpt first|rcpt commands were)",
    re.IGNORECASE,
)
"""A mail system that sends commands together shows a refused recipient's reply under DATA."""
_LOOKED_UP_LATE = "delivery error: dd"
"""Yahoo looks its users up when it has the letter."""

_EARLY = re.compile(
    r"in reply to (?:mail from|helo|ehlo)|after (?:sending )?(?:mail from|helo|ehlo)\b"
    r"|>>> (?:mail from|helo|ehlo)[^<>]{0,20}(?:<[^<>]{0,320}>)?[^<>]{0,40}<<< ?5",
    re.IGNORECASE,
)
"""Said before any recipient was named: it is about the sender."""
_IRONPORT = re.compile(r"^\W{0,3}\d\.\d\.\d - [\w ]{3,40}? (?=\d{3}-['\"])")
"""A heading of its own that it puts before another system's reply."""
_OF_READER = frozenset(
    {Reason.UNKNOWN_USER, Reason.UNKNOWN_HOST, Reason.DISABLED, Reason.MOVED, Reason.SUSPENDED, Reason.UNCLEAR}
)
_MILDER = frozenset({Reason.FULL, Reason.SUSPENDED, Reason.RESTRICTED})
_PERHAPS = re.compile(r"\b(?:may|might|possibl[ye]|perhaps|could be|either|or)\b", re.IGNORECASE)


def judged(
    *, address: str, action: Action, status: str | None, said: str, notice: str = "", transcript: str = ""
) -> ReturnedFor:
    """One recipient's return.

    `said` is what the refusing system said, `notice` what else is told of this recipient, which counts where the
    former tells nothing; `transcript` all that was exchanged, where it is about nobody else.
    """
    notice = notice[:4000]
    said = _IRONPORT.sub("", said)
    reason = reason_of(said, status)
    only_code = reason in NOBODY_THERE and reason_of_words(said) is None
    if (only_code or told_reason(said) is None) and notice and (told := reason_of_words(notice)):
        reason = told
    if reason is Reason.UNCLEAR and notice:
        reason = reason_of(notice, status)
    if reason is Reason.UNKNOWN_USER and (milder := reason_of_words(transcript)) in _MILDER:
        # The mail system's people know better than its report.
        reason = milder if not _PERHAPS.search(transcript) else reason
    if reason in _OF_READER and any(map(_EARLY.search, (said, notice, transcript[:4000]))):
        reason = Reason.SENDER
    temporary = is_temporary(said, status)
    code = code_in(said) or status or code_in(notice)
    if status and code and code.endswith(".0.0"):
        code = status
    # Where a reply has no code of its own sendmail derives x.2.0, the mailbox, from what it refuses after the letter.
    late = any(map(_is_late, (said, notice, transcript[:4000]))) or (status == "5.2.0" and code_in(said) is None)
    if action in {Action.DELIVERED, Action.RELAYED, Action.EXPANDED}:
        reason = Reason.RECEIPT
    return ReturnedFor(
        address=address,
        action=action,
        status=code,
        diagnostic=_UNSHOWN.sub(" ", said or notice).strip()[:_LONGEST_SAID],
        weight=weight_of(reason, action, temporary=temporary, late=late),
        reason=reason,
    )


def _is_late(text: str) -> bool:
    if _LOOKED_UP_LATE in text:
        return False
    return _LATE.search(text) is not None and _REFUSED_BEFORE.search(text) is None
