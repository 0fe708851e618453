"""Parsing the events of any provider's verified call."""

from __future__ import annotations

from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.domain.provider_call import VerifiedCall
from mailer.mail.provider_events.brevo_events import parse_brevo_events
from mailer.mail.provider_events.event_builder import EventBuilder
from mailer.mail.provider_events.mailgun_events import parse_mailgun_events
from mailer.mail.provider_events.mailjet_events import parse_mailjet_events
from mailer.mail.provider_events.postmark_events import parse_postmark_events
from mailer.mail.provider_events.sendgrid_events import parse_sendgrid_events
from mailer.mail.provider_events.ses_events import parse_ses_events

EVENT_PARSERS = {
    "ses": parse_ses_events,
    "mailgun": parse_mailgun_events,
    "postmark": parse_postmark_events,
    "sendgrid": parse_sendgrid_events,
    "brevo": parse_brevo_events,
    "mailjet": parse_mailjet_events,
}


def parse_events(verified: VerifiedCall, builder: EventBuilder) -> tuple[DeliveryFeedback, ...]:
    """The bounces and complaints in a call; empty where its events are of other kinds."""
    return EVENT_PARSERS[builder.provider](verified.payload, builder)
