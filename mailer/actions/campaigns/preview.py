"""Renders a campaign's letter for an organiser, before anybody gets it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign
from mailer.actions.delivery.render_letter import LetterRenderer
from mailer.app import App
from mailer.domain.actor import Actor
from mailer.domain.address import parse_address
from mailer.domain.delivery import Delivery, Kind
from mailer.domain.language import choose_language
from mailer.domain.role import Permission
from mailer.mail.message.letter import Letter
from mailer.store import revisions


async def preview(
    app: App,
    actor: Actor,
    campaign_id: int,
    *,
    to: str | None = None,
    name: str | None = None,
    language: str | None = None,
    attributes: Mapping[str, str] | None = None,
) -> Letter:
    """The letter that a recipient of this name, language and attributes would get; its links lead nowhere.

    `to` is the recipient's address; None: the site owner's. Raises NotFound, NotPermitted, AddressRefused, and
    LetterRenderFailed if the letter cannot be rendered for such a recipient.
    """

    def work(tx: Connection) -> Delivery:
        campaign = load_campaign(tx, actor, Permission.READ, campaign_id)
        editions = revisions.newest_by_language(tx, campaign_id)
        chosen = choose_language([language], editions) or next(iter(editions))
        return Delivery(
            id=0,
            campaign_id=campaign_id,
            kind=Kind.CAMPAIGN,
            mailing_list_id=campaign.mailing_list_id,
            subscription_id=0,
            revision_id=editions[chosen],
            address=parse_address(to or app.site.owner).addr_spec,
            suppression_key="",
            name=name,
            language=language,
            values=dict(attributes or {}),
            attempts=0,
            resends=0,
            queued_at=app.clock(),
            dated_at=app.clock(),
        )

    delivery = await app.database.read(work)
    return await LetterRenderer(app).render(delivery, delivery.queued_at)
