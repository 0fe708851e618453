"""What a proven call tells of our letters, whichever provider it is of."""

from __future__ import annotations

from mailer.domain.came_back import CameBack
from mailer.domain.provider_call import ProvenCall
from mailer.mail.hooks.brevo_events import read_brevo
from mailer.mail.hooks.mailgun_events import read_mailgun
from mailer.mail.hooks.mailjet_events import read_mailjet
from mailer.mail.hooks.postmark_events import read_postmark
from mailer.mail.hooks.sendgrid_events import read_sendgrid
from mailer.mail.hooks.ses_notifications import read_ses
from mailer.mail.hooks.telling import Telling

READERS = {
    "ses": read_ses,
    "mailgun": read_mailgun,
    "postmark": read_postmark,
    "sendgrid": read_sendgrid,
    "brevo": read_brevo,
    "mailjet": read_mailjet,
}


def read_call(proven: ProvenCall, telling: Telling) -> tuple[CameBack, ...]:
    """What came back; empty where the call tells of other things."""
    return READERS[telling.provider](proven.said, telling)
