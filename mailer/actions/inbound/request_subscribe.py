"""A person writes that they want to join a list."""

from __future__ import annotations

from mailer.actions.inbound.inbound_request import Asking
from mailer.actions.subscriptions.subscribe import subscribe
from mailer.app import App


async def ask_to_join(app: App, asking: Asking, language: str | None = None) -> bool:
    """Ask the mail's sender by letter whether it was they, in the `language` of their words where it says none.

    False where it is proven that they wrote, and an order stands that only an organiser lifts: then nothing was done.
    Raises NotFound for an unknown list.
    """
    if asking.sender is None:
        return True
    return await subscribe(
        app,
        list_name=asking.list_name,
        address=asking.sender,
        evidence=asking.evidence,
        name=asking.heard.sender_name,
        language=asking.language or language,
        in_reply_to=asking.heard.message_id,
        source=asking.source,
        proven=asking.proven,
    )
