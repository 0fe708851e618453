"""Telling a mail system's bounce notice from a person's mail, also from one that quotes or forwards a bounce."""

from __future__ import annotations

import re

from mailer.mail.bounces.bounce_phrases import load_bounce_phrases
from mailer.mail.bounces.free_text_notice import strip_returned_letter
from mailer.mail.bounces.report_parts import ReportParts
from mailer.mail.message.text_decoding import decode_encoded_words

_DAEMONS = re.compile(
    r"mailer[-_. ]?daemon|post[-_ ]?master|mail[-_. ]?(?:deliver|system|admin|server|router|gateway|failure|relay)"
    r"|mdaemon|system ?administrator|daemon|message[-_. ]?delivery|exchange|<>|^\s*$|internet mail|microsoft outlook"
    r"|deliver[a-z]{0,3}[-_. ](?:sub|status|system|service|report|fail|notif)|undeliver|smtp|groupwise|domino",
    re.IGNORECASE,
)
_DOMAIN = re.compile(r"@[\w.-]{1,255}")
_AUTOMATED_SENDERS = re.compile(
    r"no[-_.]?reply|do[-_.]?not[-_.]?reply|notification|bounce|returned|admin|\bndr\b", re.IGNORECASE
)
"""Such addresses also send mail that is no bounce."""
_REPLY_SUBJECT = re.compile(
    r"\s*(?:re|aw|sv|antw|fwd?|wg|tr|rv|r|i|ynt|odp|vs|回复|转发)\s*(?:\[\d+\])?\s*[:：]", re.IGNORECASE
)
"""A person's reply, or a forwarded mail."""
_OPENING_CHARACTERS, _FIRST_CHARACTERS = 4000, 120


def is_bounce_notice(mail: ReportParts, subject: str) -> bool:
    """Whether a mail system wrote this mail to report a failure or delay; `subject` is decoded."""
    fields, phrases = mail.top.fields, load_bounce_phrases()
    is_report = mail.top.content_type == "multipart/report"
    # The domain shows nothing: people write from smtp.example.org, too.
    sender = _DOMAIN.sub("", decode_encoded_words(fields.get("from", "")[:300]))
    from_daemon = _DAEMONS.search(sender) is not None
    if _REPLY_SUBJECT.match(subject) and not (from_daemon or is_report):
        return False
    if "x-failed-recipients" in fields or (
        mail.report("status") and (is_report or from_daemon or phrases.notice_subjects.occurs_in(subject))
    ):
        return True
    automated = fields.get("return-path", "").strip() == "<>" or _is_automatic(fields.get("auto-submitted", ""))
    notice_subject = phrases.notice_subjects.occurs_in(subject)
    notices = [strip_returned_letter(text)[:_OPENING_CHARACTERS] for text in mail.texts[:3]]
    notice_opening = any(map(phrases.notice_openings.occurs_in, notices))
    if from_daemon:
        return notice_subject or notice_opening or bool(mail.originals)
    if notice_subject and mail.originals and "in-reply-to" not in fields:
        # A gateway may have any sender; a person who attaches a bounce begins with other words.
        return any(phrases.notice_openings.occurs_in(notice.lstrip()[:_FIRST_CHARACTERS]) for notice in notices)
    automated = automated or _AUTOMATED_SENDERS.search(sender) is not None
    return automated and notice_opening and (notice_subject or bool(mail.originals))


def _is_automatic(value: str) -> bool:
    return value.strip().lower().startswith(("auto-generated", "auto-replied", "auto-notified"))
