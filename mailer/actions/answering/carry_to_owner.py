"""A person's mail is carried to who answers for a list, or for the service."""

from __future__ import annotations

from mailer.actions.joining.look_up import look_up_list
from mailer.app import App
from mailer.domain.delivery import Kind, Notice
from mailer.mail.asking import Asking
from mailer.store import deliveries


async def carry_to_owner(app: App, asking: Asking) -> None:
    """Carry the mail, wrapped, so that it comes from us and an answer goes to who wrote.

    Raises NotFound for an unknown list.
    """
    mailing_list = await look_up_list(app, asking.list_name) if asking.to.list_name else None
    owner = mailing_list.owner if mailing_list else app.house.owner
    sender = asking.sender.mailed if asking.sender else None
    if asking.heard.robot and sender and sender.lower() == owner.lower():
        return  # the owner's own "out of office" to what we carried: it would go round for ever
    wrapped = Notice(
        kind=Kind.WRAPPED,
        address=owner,
        suppression_key="",  # who answers for a list cannot stop hearing of it
        language=app.language(mailing_list.language if mailing_list else None),
        mailing_list_id=mailing_list.id if mailing_list else None,
        values={
            "sender": sender,
            "subject": asking.heard.subject,
            "recipient": asking.recipient,
            "incoming": asking.mail_id,
        },
        cause=f"incoming {asking.mail_id} {asking.recipient}",
    )
    await app.database.write(deliveries.add_notice, wrapped, app.clock())
    app.bells.notices.set()
