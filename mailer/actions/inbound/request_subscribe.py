"""A person writes that they want to join a list."""

from __future__ import annotations

from mailer.actions.inbound.inbound_request import InboundRequest
from mailer.actions.subscriptions.subscribe import subscribe
from mailer.app import App
from mailer.domain.subscription_request import SubscriptionRequest


async def request_subscribe(app: App, request: InboundRequest, language: str | None = None) -> bool:
    """Ask the mail's sender by letter whether it was they, in the `language` of their words where it says none.

    False where it is proven that they wrote, and an order stands that only an organiser lifts: then nothing was done.
    Raises NotFound for an unknown list.
    """
    if request.sender is None:
        return True
    subscription_request = SubscriptionRequest(
        list_name=request.list_name,
        address=request.sender,
        evidence=request.evidence,
        name=request.mail.sender_name,
        language=request.language or language,
        in_reply_to=request.mail.message_id,
        source=request.source,
        authenticated=request.authenticated,
    )
    return await subscribe(app, subscription_request)
