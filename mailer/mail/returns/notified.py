"""Whether a mail is a mail system's notice, or a person's who has something to say of one."""

from __future__ import annotations

import re

from mailer.mail.returns.openings import OPENINGS
from mailer.mail.returns.sorted_parts import SortedParts
from mailer.mail.returns.subjects import ANSWERED, SUBJECTS
from mailer.mail.returns.told_notice import notice_of

_DAEMONS = re.compile(
    r"mailer[-_. ]?daemon|post[-_ ]?master|mail[-_. ]?(?:deliver|system|admin|server|router|gateway|failure|relay)"
    r"|mdaemon|no[-_.]?reply|do[-_.]?not[-_.]?reply|system ?administrator|bounce|daemon|message[-_. ]?delivery|exchange"
    r"|<>|^\s*$|deliver[a-z]{0,3}[-_. ](?:sub|status|system|service|report|fail|notif)|internet mail"
    r"|microsoft outlook|notification|undeliver|smtp|groupwise|domino|returned",
    re.IGNORECASE,
)
_READ_FOR_OPENING = 4000


def is_notice(mail: SortedParts, subject: str) -> bool:
    """Whether a mail system wrote it to tell what became of a letter."""
    fields = mail.top.fields
    reported = mail.top.kind == "multipart/report"
    daemon = _DAEMONS.search(fields.get("from", "")[:300]) is not None
    if ANSWERED.match(subject) and not (daemon or reported):
        return False
    if "x-failed-recipients" in fields or (mail.report("status") and (reported or daemon or SUBJECTS.within(subject))):
        return True
    robot = fields.get("return-path", "").strip() == "<>" or _is_automatic(fields.get("auto-submitted", ""))
    tells = SUBJECTS.within(subject)
    opens = any(OPENINGS.within(notice_of(text)[:_READ_FOR_OPENING]) for text in mail.texts[:3])
    if daemon:
        return tells or opens
    return (tells and opens and "in-reply-to" not in fields) or (robot and opens and tells)


def _is_automatic(value: str) -> bool:
    return value.strip().lower().startswith(("auto-generated", "auto-replied", "auto-notified"))
