"""A delivery that carries a person's mail to a list's owner, or to the service's, as a letter."""

from __future__ import annotations

from datetime import datetime

from mailer.domain.delivery import Delivery
from mailer.domain.language import choose_language
from mailer.domain.site import ListIdentity, Site
from mailer.mail.compose.forward_attachment import CoverLetter, attach_original
from mailer.mail.compose.templates import SOURCE_LANGUAGE, Templates
from mailer.mail.message.letter import Letter


def compose_forward(
    delivery: Delivery,
    list_identity: ListIdentity | None,
    site: Site,
    templates: Templates,
    dated_at: datetime,
    original: bytes,
) -> Letter:
    """The letter around the `original` mail, in the owner's language; the same octets for the same."""
    values = delivery.values
    language = choose_language([delivery.language], templates.languages) or SOURCE_LANGUAGE
    intro = templates.render("notices/wrapped.txt", language, recipient=values["recipient"], sender=values["sender"])
    cover = CoverLetter(
        from_name=list_identity.mailing_list.title if list_identity else site.name,
        from_address=list_identity.address() if list_identity else f"postmaster@{site.domain}",
        to=delivery.address,
        reply_to=values["sender"],
        subject=values["subject"] or values["recipient"],
        message_id=site.message_id(delivery.id),
        dated_at=dated_at,
        list_id=list_identity.list_id if list_identity else None,
        intro=intro.strip() + "\n",
    )
    content = attach_original(original, cover)
    return Letter(site.return_path(delivery.id), delivery.address, content)
