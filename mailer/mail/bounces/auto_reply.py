"""Telling automatic replies (RFC 3834) from people's mail, and from other programs'."""

from __future__ import annotations

import re

from mailer.mail.message.auto_generated import automatic, has_subject_of_program
from mailer.mail.message.mime_parser import Part
from mailer.mail.message.normalize_text import folded

_SUBJECTS = re.compile(
    r"\s*(?:(?:re|aw|sv): ?)?(?:auto(?:matic|mated|matisch\w*)?[ -]?(?:e-?mail )?"
    r"(?:reply|response|answer|antwort|svar|responder|generated)|out[ -]of[ -](?:the[ -])?office|ooo\b|vacation"
    r"|(?:i am |i'm )?(?:away|absent|on (?:leave|holiday|vacation))\b|abwesen|urlaub|nicht im buro|ausser haus"
    r"|reponse auto|message d'absence|absence|absent|respuesta auto|fuera de|ausente|resposta auto|risposta auto"
    r"|fuori (?:ufficio|sede)|assente|afwezig|automatisch antwoord|franvar|fravaer|autosvar|automatiskt? svar|autoreply"
    r"|otomatik (?:yanit|cevap)|ofis disinda|автоответ|автоматическ|autoodpowied|odpowiedz automatyczna"
    r"|automaticka odpoved|poissa|自動応答|自動返信|自动回复|自動回覆)",
)
_MARKS = frozenset(
    {"x-autoreply", "x-autorespond", "x-autoresponder", "x-mail-autoreply", "x-vacation", "x-autoreply-from"}
)


def answering_robot(mail: Part, subject: str) -> bool:
    """Whether a vacation program or its like wrote this in answer to a letter."""
    why = automatic(mail, "unknown")
    if _MARKS & mail.fields.keys() or _SUBJECTS.match(folded(subject[:200])) or has_subject_of_program(subject):
        return True
    if why in {"Auto-Submitted: auto-replied", "Precedence: auto_reply"}:
        return True
    answers = "in-reply-to" in mail.fields or "references" in mail.fields
    return answers and why is not None and why.startswith(("Auto-Submitted", "Precedence: bulk", "Precedence: junk"))
