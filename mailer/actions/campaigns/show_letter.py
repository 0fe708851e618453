"""Shows the letter that somebody got, octet for octet, and lists the letters of a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign
from mailer.actions.delivery.letter_making import find_changes
from mailer.actions.delivery.render_letter import LetterRenderer
from mailer.app import App
from mailer.domain.accounts.actor import Actor, require_anywhere
from mailer.domain.accounts.role import Permission
from mailer.domain.address import parse_address
from mailer.domain.campaign import Campaign
from mailer.domain.delivery import OPEN, Delivery
from mailer.domain.letters.delivery_record import DeliveryRecord
from mailer.domain.letters.mask_tokens import mask_tokens
from mailer.domain.subscription import Subscription
from mailer.errors import NotFound
from mailer.mail.message.letter import Letter
from mailer.store import mailing_lists, revisions, subscribers, subscriptions
from mailer.store.queue import claims, delivery_records

_MOST_NOTICES = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownLetter:
    """A delivery of a campaign, and its letter."""

    record: DeliveryRecord
    campaign: Campaign
    subscriber_id: int
    address: str
    letter: Letter | None
    """What the relay was handed last; what it would be handed next, where `is_kept` is False; None where nothing was
    and nothing will be handed."""
    is_kept: bool
    """Whether the letter has the text, values and date with which it was handed."""
    changes: tuple[str, ...]
    """Why its octets may differ from those that were handed, one sentence each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonLetters:
    """The letters of one person, each kind newest first."""

    subscriber_id: int
    address: str
    name: str | None
    of_campaigns: tuple[DeliveryRecord, ...]
    notices: tuple[DeliveryRecord, ...]
    """Of the newest, at most 100."""
    list_names: Mapping[int, str]
    """Of the lists that these are about."""


async def show_letter(
    app: App, actor: Actor, campaign_id: int, reader: str | int, *, masked: bool = False
) -> ShownLetter:
    """The letter of a campaign to a reader, by address or subscription id, with what became of it.

    Its octets are those that the relay was handed, whatever was corrected or changed since; `masked` puts `x` in place
    of its tokens, so that nobody can act for the reader. Raises NotFound, NotPermitted, AddressRefused, and
    LetterRenderFailed for a letter that cannot be written.
    """
    found = await app.database.read(_load, app, actor, campaign_id, reader)
    letter = None
    if found.is_kept or found.record.state in OPEN:
        dated_at = found.delivery.dated_at or app.clock().replace(microsecond=0)
        letter = await LetterRenderer(app).render(found.delivery, dated_at)
    if letter is not None and masked:
        letter = replace(letter, return_path="", content=mask_tokens(app.site.keyring, letter.content))
    return ShownLetter(
        record=found.record,
        campaign=found.campaign,
        subscriber_id=found.subscription.subscriber_id,
        address=found.subscription.address,
        letter=letter,
        is_kept=found.is_kept,
        changes=found.changes,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    campaign: Campaign
    subscription: Subscription
    record: DeliveryRecord
    delivery: Delivery
    changes: tuple[str, ...]

    @property
    def is_kept(self) -> bool:
        return self.record.dated_at is not None


def _load(tx: Connection, app: App, actor: Actor, campaign_id: int, reader: str | int) -> _Found:
    campaign = load_campaign(tx, actor, Permission.SEE_PEOPLE, campaign_id)
    subscription = _find_subscription(tx, app, campaign, reader)
    record = delivery_records.find(tx, campaign_id, subscription.id)
    if record is None:
        raise NotFound(f"{subscription.address} has no letter of campaign {campaign_id}: {_why_none(campaign)}")
    changes: tuple[str, ...] = ()
    if record.dated_at is not None and record.revision_id is not None:
        changes = find_changes(app, revisions.load_made_with(tx, record.revision_id))
    return _Found(
        campaign=campaign,
        subscription=subscription,
        record=record,
        delivery=claims.load_deliveries(tx, campaign_id, 0, [record.id])[0],
        changes=changes,
    )


def _why_none(campaign: Campaign) -> str:
    """Why somebody whose list it is for has no letter of it, as far as the campaign tells."""
    if not campaign.has_whole_audience:
        return "it has not begun, and `campaign preview --to` shows what would be sent now"
    if campaign.launched_at is None:
        return "it was called off before it began"
    others = ["they joined later", "had left"]
    if campaign.languages is not None:
        others.append("get another edition than those that were sent")
    if campaign.not_mailed_by is not None:
        others.append(f"were mailed by campaign {campaign.not_mailed_by}")
    return f"{', '.join(others[:-1])}, or {others[-1]}"


def _find_subscription(tx: Connection, app: App, campaign: Campaign, reader: str | int) -> Subscription:
    if isinstance(reader, int):
        found = subscriptions.find_by_id(tx, reader)
        if found is None or found.mailing_list_id != campaign.mailing_list_id or not found.address:
            raise NotFound(f"there is no subscription {reader} to the list of campaign {campaign.id}")
        return found
    address = parse_address(reader)
    found = subscriptions.find(tx, campaign.mailing_list_id, address.key)
    if found is None:
        if subscribers.is_erased(tx, app.site.keyring.suppression_key(address.key)):
            raise NotFound(f"{address.addr_spec} was erased, and what their letters said of them is gone")
        raise NotFound(f"{address.addr_spec} is not and was not on the list of campaign {campaign.id}")
    return found


async def list_letters(app: App, actor: Actor, reader: str | int) -> PersonLetters:
    """The letters to a person, by address or number, on the lists where the actor sees people.

    Raises NotFound, also where the person is on none of these lists, NotPermitted and AddressRefused.
    """
    key = parse_address(reader).key if isinstance(reader, str) else None

    def read(tx: Connection) -> PersonLetters:
        allowed = require_anywhere(actor, Permission.SEE_PEOPLE)
        names = {one.id: one.name for one in mailing_lists.list_all(tx) if allowed is None or one.id in allowed}
        number = reader if isinstance(reader, int) else None
        person = subscribers.find(tx, subscriber_id=number, address_key=key)
        if person is None or not (allowed is None or allowed & subscriptions.list_ids(tx, person.id)):
            raise NotFound(f"{reader if key else f'person {reader}'} is not known here")
        suppression_key = app.site.keyring.suppression_key(person.address_key)
        return PersonLetters(
            subscriber_id=person.id,
            address=person.address,
            name=person.name,
            of_campaigns=tuple(delivery_records.list_for_subscriber(tx, person.id, allowed)),
            notices=tuple(delivery_records.list_notices(tx, suppression_key, allowed, _MOST_NOTICES)),
            list_names=names,
        )

    return await app.database.read(read)
