"""Telling robots from people (RFC 3834), so that no robot joins, confirms, or is answered."""

from __future__ import annotations

import re
from email.message import Message

_BULK = {"bulk", "junk", "list"}
_MARKS = ("X-Autoreply", "X-Autorespond", "X-Autoresponder")
_DAEMONS = re.compile(r"(?:^|<)\s*(?:mailer-daemon|no-?reply|postmaster@[^>]*mailer-daemon)", re.IGNORECASE)
# What vacation programs write that do not mark their mail; in the languages we speak.
_SUBJECTS = re.compile(
    r"\s*(?:auto(?:matic|mated)?[ -]?(?:reply|response)|out of (?:the )?office|abwesenheitsnotiz|automatische antwort"
    r"|otomatik (?:yanıt|cevap)|ofis dışında)\b",
    re.IGNORECASE,
)


def why_robot(header: Message, envelope_sender: str, subject: str) -> str | None:
    """What shows that no person wrote this, or None."""
    if not envelope_sender or envelope_sender == "<>":
        return "null sender"
    auto = _first_word(header, "Auto-Submitted")
    if auto not in {"", "no"}:
        return f"Auto-Submitted: {auto}"
    if (precedence := _first_word(header, "Precedence")) in _BULK:
        return f"Precedence: {precedence}"
    if header.get_content_type() == "multipart/report":
        return "a report"
    if listed := next((name for name in header if name.lower().startswith("list-")), None):
        return f"{listed} field"
    if marked := next((name for name in _MARKS if name in header), None):
        return f"{marked} field"
    if _DAEMONS.search(envelope_sender) or _DAEMONS.search(str(header.get("From", ""))[:2000]):
        return "a daemon's address"
    return "an automatic reply's subject" if _SUBJECTS.match(subject) else None


def _first_word(header: Message, name: str) -> str:
    """The value without comment and parameters: `auto-replied; owner-email=...`."""
    value = re.sub(r"\([^)]*\)", "", str(header.get(name, ""))[:500])
    return value.partition(";")[0].strip().lower()
