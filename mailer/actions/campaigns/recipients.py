"""The recipients of a campaign, with what became of their letters: by state, or found by address."""

from __future__ import annotations

import unicodedata

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.delivery import DeliveryState
from mailer.domain.page import Page
from mailer.store import recipients
from mailer.store.campaign_progress import RecipientReport

_PAGE = 50


async def list_recipients(
    app: App, actor: Actor, campaign_id: int, states: tuple[DeliveryState, ...], after: str = ""
) -> Page[RecipientReport]:
    """A page of the recipients whose letters are in these states; it may be short and not the last.

    A letter that a worker has taken is in the state it was taken from. Raises NotFound, NotPermitted.
    """

    def work(tx: Connection) -> Page[RecipientReport]:
        load_campaign(tx, actor, Permission.SEE_PEOPLE, campaign_id)
        return recipients.list_in_states(tx, campaign_id, states, after, _PAGE)

    return await app.database.read(work)


async def find_recipients(app: App, actor: Actor, campaign_id: int, address: str) -> list[RecipientReport]:
    """The recipients whose address is or begins with this. Raises NotFound, NotPermitted."""

    def work(tx: Connection) -> list[RecipientReport]:
        campaign = load_campaign(tx, actor, Permission.SEE_PEOPLE, campaign_id)
        return recipients.find_by_address(tx, campaign_id, campaign.mailing_list_id, address_prefix(address))

    return await app.database.read(work)


def address_prefix(text: str) -> str:
    """The beginning of an address key: NFC, casefolded, without blanks around it."""
    return unicodedata.normalize("NFC", text.strip()).casefold()
