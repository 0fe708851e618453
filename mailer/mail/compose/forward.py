"""A delivery that carries a person's mail to a list's owner, or to the service's, as a letter."""

from __future__ import annotations

from datetime import datetime

from mailer.domain.delivery import Delivery
from mailer.domain.language import choose_language
from mailer.domain.site import House, Letterhead
from mailer.mail.compose.forward_attachment import Cover, wrap_original
from mailer.mail.compose.templates import SOURCE_LANGUAGE, Templates
from mailer.mail.message.letter import Letter


def compose_forward(
    delivery: Delivery,
    letterhead: Letterhead | None,
    house: House,
    templates: Templates,
    dated_at: datetime,
    original: bytes,
) -> Letter:
    """The letter around the `original` mail, in the owner's language; the same octets for the same."""
    told = delivery.values
    language = choose_language([delivery.language], templates.languages) or SOURCE_LANGUAGE
    intro = templates.render("notices/wrapped.txt", language, recipient=told["recipient"], sender=told["sender"])
    cover = Cover(
        from_name=letterhead.mailing_list.title if letterhead else house.name,
        from_address=letterhead.address() if letterhead else f"postmaster@{house.domain}",
        to=delivery.address,
        reply_to=told["sender"],
        subject=told["subject"] or told["recipient"],
        message_id=house.message_id(delivery.id),
        dated_at=dated_at,
        list_id=letterhead.list_id if letterhead else None,
        intro=intro.strip() + "\n",
    )
    content = wrap_original(original, cover)
    return Letter(house.return_path(delivery.id), delivery.address, content)
