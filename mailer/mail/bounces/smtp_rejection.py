"""Feedback of a letter that the relay rejected over SMTP."""

from __future__ import annotations

from datetime import datetime

from mailer.domain.bounce import DsnAction, FeedbackKind
from mailer.domain.delivery import Concern, Delivery, DeliveryOutcome, DeliveryState, RelayOutcome
from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.mail.bounces.classify_bounce import classify_bounce


def is_letter_rejection(delivery_outcome: DeliveryOutcome, outcome: RelayOutcome) -> bool:
    """Whether a delivery failed permanently by a reply about this letter, not about the sender or the rate."""
    return (
        delivery_outcome.state is DeliveryState.FAILED
        and outcome.code is not None
        and outcome.concern is Concern.LETTER
    )


def build_rejection_feedback(delivery: Delivery, outcome: RelayOutcome, at: datetime) -> DeliveryFeedback:
    """The rejection as a bounce of the delivery."""
    diagnostic = f"{outcome.code} {outcome.reply}"
    return DeliveryFeedback(
        delivery_id=delivery.id,
        address=delivery.address,
        kind=FeedbackKind.BOUNCE,
        bounce=classify_bounce(address=delivery.address, action=DsnAction.FAILED, status=None, diagnostic=diagnostic),
        complaint=None,
        channel="smtp",
        message_id=None,
        at=at,
    )
