"""A letter that the relay refused for its reader's sake came back, too: at once, and by SMTP."""

from __future__ import annotations

from datetime import datetime

from mailer.domain.bounce import Action, ReturnKind
from mailer.domain.delivery import Concern, Delivery, DeliveryState, Outcome, Settlement
from mailer.domain.delivery_feedback import CameBack
from mailer.mail.bounces.classify_bounce import judged


def is_return(settled: Settlement, outcome: Outcome) -> bool:
    """Whether it failed for good by the relay's word on this letter, and not on how we are or how fast we come."""
    return settled.state is DeliveryState.FAILED and outcome.code is not None and outcome.concern is Concern.LETTER


def refused_letter(delivery: Delivery, outcome: Outcome, at: datetime) -> CameBack:
    """The refusal as what came back of the delivery."""
    said = f"{outcome.code} {outcome.reply}"
    return CameBack(
        delivery_id=delivery.id,
        address=delivery.address,
        kind=ReturnKind.BOUNCE,
        of=judged(address=delivery.address, action=Action.FAILED, status=None, said=said),
        complaint=None,
        way="smtp",
        message_id=None,
        at=at,
    )
