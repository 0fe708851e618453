"""Telling automatic replies (RFC 3834) from people's mail, and from other programs'."""

from __future__ import annotations

import re

from mailer.mail.message.auto_generated import find_automatic_mark, is_auto_reply_subject
from mailer.mail.message.mime_parser import Part
from mailer.mail.message.normalize_text import normalize_text

_AUTO_REPLY_SUBJECTS = re.compile(
    r"\s*(?:(?:re|aw|sv): ?)?(?:auto(?:matic|mated|matisch\w*)?[ -]?(?:e-?mail )?"
    r"(?:reply|response|answer|antwort|svar|responder|generated)|out[ -]of[ -](?:the[ -])?office|ooo\b|vacation"
    r"|(?:i am |i'm )?(?:away|absent|on (?:leave|holiday|vacation))\b|abwesen|urlaub|nicht im buro|ausser haus"
    r"|reponse auto|message d'absence|absence|absent|respuesta auto|fuera de|ausente|resposta auto|risposta auto"
    r"|fuori (?:ufficio|sede)|assente|afwezig|automatisch antwoord|franvar|fravaer|autosvar|automatiskt? svar|autoreply"
    r"|otomatik (?:yanit|cevap)|ofis disinda|автоответ|автоматическ|autoodpowied|odpowiedz automatyczna"
    r"|automaticka odpoved|poissa|自動応答|自動返信|自动回复|自動回覆)",
)
_AUTO_REPLY_FIELDS = frozenset(
    {"x-autoreply", "x-autorespond", "x-autoresponder", "x-mail-autoreply", "x-vacation", "x-autoreply-from"}
)


def is_auto_reply(mail: Part, subject: str) -> bool:
    """Whether a vacation program or its like wrote this in answer to a letter."""
    reason = find_automatic_mark(mail, "unknown")
    if (
        _AUTO_REPLY_FIELDS & mail.fields.keys()
        or _AUTO_REPLY_SUBJECTS.match(normalize_text(subject[:200]))
        or is_auto_reply_subject(subject)
    ):
        return True
    if reason in {"Auto-Submitted: auto-replied", "Precedence: auto_reply"}:
        return True
    is_reply = "in-reply-to" in mail.fields or "references" in mail.fields
    return (
        is_reply
        and reason is not None
        and reason.startswith(("Auto-Submitted", "Precedence: bulk", "Precedence: junk"))
    )
