"""Whether a mail is a mail system's notice, or a person's who has something to say of one."""

from __future__ import annotations

import re

from mailer.mail.bounces.free_text_notice import notice_of
from mailer.mail.bounces.phrases_notice import OPENINGS
from mailer.mail.bounces.phrases_subject import ANSWERED, SUBJECTS
from mailer.mail.bounces.report_parts import SortedParts
from mailer.mail.message.mime_parser import decode_words

_DAEMONS = re.compile(
    r"mailer[-_. ]?daemon|post[-_ ]?master|mail[-_. ]?(?:deliver|system|admin|server|router|gateway|failure|relay)"
    r"|mdaemon|system ?administrator|daemon|message[-_. ]?delivery|exchange|<>|^\s*$|internet mail|microsoft outlook"
    r"|deliver[a-z]{0,3}[-_. ](?:sub|status|system|service|report|fail|notif)|undeliver|smtp|groupwise|domino",
    re.IGNORECASE,
)
_DOMAIN = re.compile(r"@[\w.-]{1,255}")
_ROBOTS = re.compile(r"no[-_.]?reply|do[-_.]?not[-_.]?reply|notification|bounce|returned|admin|\bndr\b", re.IGNORECASE)
"""They may be anybody's."""
_READ_FOR_OPENING, _FIRST_WORDS = 4000, 120


def is_notice(mail: SortedParts, subject: str) -> bool:
    """Whether a mail system wrote it to tell what became of a letter."""
    fields = mail.top.fields
    reported = mail.top.kind == "multipart/report"
    # A domain says nothing: people write from smtp.example.org.
    writer = _DOMAIN.sub("", decode_words(fields.get("from", "")[:300]))
    daemon = _DAEMONS.search(writer) is not None
    if ANSWERED.match(subject) and not (daemon or reported):
        return False
    if "x-failed-recipients" in fields or (mail.report("status") and (reported or daemon or SUBJECTS.within(subject))):
        return True
    robot = fields.get("return-path", "").strip() == "<>" or _is_automatic(fields.get("auto-submitted", ""))
    tells = SUBJECTS.within(subject)
    notices = [notice_of(text)[:_READ_FOR_OPENING] for text in mail.texts[:3]]
    opens = any(map(OPENINGS.within, notices))
    if daemon:
        return tells or opens or bool(mail.originals)
    if tells and mail.originals and "in-reply-to" not in fields:
        # A gateway by any name; a person who attaches a bounce begins with other words.
        return any(OPENINGS.within(notice.lstrip()[:_FIRST_WORDS]) for notice in notices)
    robot = robot or _ROBOTS.search(writer) is not None
    return robot and opens and (tells or bool(mail.originals))


def _is_automatic(value: str) -> bool:
    return value.strip().lower().startswith(("auto-generated", "auto-replied", "auto-notified"))
