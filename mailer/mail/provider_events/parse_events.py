"""What a proven call tells of our letters, whichever provider it is of."""

from __future__ import annotations

from mailer.domain.delivery_feedback import CameBack
from mailer.domain.provider_call import ProvenCall
from mailer.mail.provider_events.brevo_events import read_brevo
from mailer.mail.provider_events.event_builder import Telling
from mailer.mail.provider_events.mailgun_events import read_mailgun
from mailer.mail.provider_events.mailjet_events import read_mailjet
from mailer.mail.provider_events.postmark_events import read_postmark
from mailer.mail.provider_events.sendgrid_events import read_sendgrid
from mailer.mail.provider_events.ses_events import read_ses

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
