"""Telling robots from people (RFC 3834), so that no robot joins, confirms, or is answered."""

from __future__ import annotations

import re

from mailer.mail.folded import folded
from mailer.mail.mime import Part

_BULK = {"bulk", "junk", "list", "auto_reply"}
_MARKS = {"x-autoreply", "x-autorespond", "x-autoresponder"}
_DAEMONS = re.compile(r"(?:^|<)\s*(?:mailer-daemon|no-?reply)\b", re.IGNORECASE)
# What vacation programs write that do not mark their mail; in the languages we speak, folded.
_SUBJECTS = re.compile(
    r"\s*(?:auto(?:matic|mated)?[ -]?(?:reply|response)|out of (?:the )?office|abwesenheitsnotiz|automatische antwort"
    r"|otomatik (?:yanit|cevap)|ofis disinda)\b"
)


def why_robot(mail: Part, envelope_sender: str, subject: str) -> str | None:
    """What shows that no person wrote this, or None."""
    if envelope_sender in {"", "<>"}:
        return "null sender"
    auto = _first_word(mail, "auto-submitted")
    if auto not in {"", "no"}:
        return f"Auto-Submitted: {auto}"
    if (precedence := _first_word(mail, "precedence")) in _BULK:
        return f"Precedence: {precedence}"
    if mail.kind == "multipart/report":
        return "a report"
    if marked := next((name for name in mail.fields if name in _MARKS or name.startswith("list-")), None):
        return f"{marked} field"
    if _DAEMONS.search(envelope_sender) or _DAEMONS.search(mail.fields.get("from", "")):
        return "a daemon's address"
    return "an automatic reply's subject" if _SUBJECTS.match(folded(subject)) else None


def _first_word(mail: Part, name: str) -> str:
    """The value without comment and parameters: `auto-replied; owner-email=...`."""
    value = re.sub(r"\([^()]*\)|[^!-~]+", " ", mail.fields.get(name, ""))
    return value.partition(";")[0].strip().lower()[:80]
