"""Enhanced status codes (RFC 3463 and the registry it founded), and what mail systems mean by them."""

from __future__ import annotations

import re

from mailer.domain.bounce import Reason

_CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,2})\.(\d{1,3})(?!\d|\.\d)")
_MOST_READ = 2000

_PLAIN = {
    "1.1": Reason.UNKNOWN_USER,
    "1.2": Reason.UNKNOWN_HOST,
    "1.3": Reason.UNKNOWN_USER,
    "1.4": Reason.UNKNOWN_USER,
    "1.6": Reason.MOVED,
    "1.7": Reason.SENDER,
    "1.8": Reason.SENDER,
    "1.10": Reason.UNKNOWN_HOST,
    "2.1": Reason.SUSPENDED,
    "2.2": Reason.FULL,
    "2.3": Reason.TOO_LARGE,
    "2.4": Reason.RESTRICTED,
    "3.4": Reason.TOO_LARGE,
    "4.7": Reason.EXPIRED,
    "7.2": Reason.RESTRICTED,
    "7.8": Reason.AUTHENTICATION,
    "7.9": Reason.AUTHENTICATION,
    "7.13": Reason.SUSPENDED,
    "7.17": Reason.MOVED,
    "7.18": Reason.MOVED,
    "7.19": Reason.RESTRICTED,
    "7.28": Reason.RATE,
    "7.54": Reason.RELAY_DENIED,
}
"""By subject and detail: those that say why, in every mail system. 7.17 and 7.18: the mailbox has another owner (RFC
7293). Exchange says 7.54 for relaying."""
_VAGUE = {
    "1.0": Reason.UNCLEAR,
    "1.9": Reason.SENDER,
    "2.0": Reason.UNCLEAR,
    "3.0": Reason.SYSTEM_TROUBLE,
    "3.1": Reason.FULL,
    "3.2": Reason.SYSTEM_TROUBLE,
    "3.3": Reason.SYSTEM_TROUBLE,
    "3.5": Reason.SYSTEM_TROUBLE,
    "4.0": Reason.UNREACHABLE,
    "4.1": Reason.UNREACHABLE,
    "4.2": Reason.UNREACHABLE,
    "4.3": Reason.UNREACHABLE,
    "4.4": Reason.UNKNOWN_HOST,
    "4.5": Reason.RATE,
    "4.6": Reason.UNREACHABLE,
}
"""Those whose words go first, as mail systems use them for much; 4.4 is a domain without a way in."""
_BY_SUBJECT = {"5": Reason.SYSTEM_TROUBLE, "6": Reason.CONTENT, "7": Reason.POLICY}


def code_in(text: str) -> str | None:
    """The first code of a refusal in what was said: `5.1.1` or `4.2.2`; None where there is none."""
    codes = [found[0] for found in _CODE.finditer(text[:_MOST_READ]) if found[1] != "2"]
    # One that says something goes before x.0.0, which many mail systems put before another's.
    return next((code for code in codes if not code.endswith(".0.0")), codes[0] if codes else None)


def plain_reason(code: str) -> Reason | None:
    """What a code says for certain; None where its words go first."""
    kind, detail = code.split(".", 1)
    subject, _, number = detail.partition(".")
    if kind == "5" and detail == "4.1":
        # Exchange, where others mean no answer from the host, which is of class 4.
        return Reason.UNKNOWN_USER
    if subject == "7" and len(number) == 3:
        # Exchange: groups and mailboxes that take mail from few; senders it has banned.
        return Reason.RESTRICTED if number.startswith("1") else Reason.BLOCKED if number[0] in "567" else None
    if subject == "7" and number.startswith("2") and len(number) == 2:
        # RFC 7372, RFC 7505 and ARC; but 7.28 is a flood.
        return _PLAIN.get(detail, Reason.AUTHENTICATION)
    return _PLAIN.get(detail)


def vague_reason(code: str) -> Reason | None:
    """What a code hints at where the words tell nothing; None for x.0.0 and those we do not know."""
    detail = code.split(".", 1)[1]
    return plain_reason(code) or _VAGUE.get(detail) or _BY_SUBJECT.get(detail.partition(".")[0])
