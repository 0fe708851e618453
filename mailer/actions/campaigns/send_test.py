"""Sends test letters of a campaign, and says what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import record_act
from mailer.actions.campaigns.checked_drafts import CampaignDrafts, CheckedDrafts, load_drafts
from mailer.actions.campaigns.freeze_drafts import freeze_trial, with_checked_drafts
from mailer.actions.delivery.trial_letter import trial_notice
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.address import Address, hide_addresses, parse_address
from mailer.domain.campaign import Campaign
from mailer.domain.delivery import DeliveryState
from mailer.domain.draft import Draft
from mailer.domain.letters.edition_choice import choose_edition
from mailer.domain.mailing_list import MailingList
from mailer.errors import NotFound, NotPermitted, WrongState
from mailer.store import revisions
from mailer.store.queue import deliveries
from mailer.store.writing import readers, test_letters
from mailer.store.writing.readers import Reader
from mailer.store.writing.test_letters import SentTest

MOST_PER_HOUR = 200
"""Test letters of one campaign."""
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialLetter:
    """One test letter, and what became of it."""

    address: str
    """Empty if it was deleted, and for an actor who may not see people."""
    language: str
    sent_at: datetime
    sent_by: str
    state: DeliveryState | None
    """None if that was deleted."""
    reply: str | None
    """The relay's words, or why the letter waits; without addresses for an actor who may not see people."""
    is_current: bool
    """Whether the edition still has the text of this letter."""


async def send_test(
    app: App,
    actor: Actor,
    campaign_id: int,
    to: Sequence[str],
    *,
    languages: Sequence[str] = (),
    as_reader: str | None = None,
) -> int:
    """Queue a test letter of each edition (or of these) to each address; returns how many letters.

    They have `[Test]` before the subject, and no link in them changes a subscription; a reader of the list gets the
    values that are known of them. With `as_reader`, the address of a reader of the list, all get this reader's values,
    in the edition that this reader will get unless `languages` are given. The campaign's own letters keep their text.
    An organiser may send them to their own address, the list's testers and its owner; a command to any.

    Raises NotFound, NotPermitted, also with `as_reader` where the actor may not see people, AddressRefused, WrongState
    for too many in an hour, and CampaignFileRefused with the language and line of the first error.
    """
    addresses = list({(one := parse_address(text)).key: one for text in to}.values())

    def work(tx: Connection, campaign: Campaign, checked: CheckedDrafts) -> int:
        loaded, now = checked.loaded, app.clock()
        _check_addresses(actor, loaded.mailing_list, addresses)
        reader = None if as_reader is None else _find_reader(tx, actor, campaign, as_reader)
        chosen = _choose_editions(loaded, languages, reader)
        number = len(chosen) * len(addresses)
        if test_letters.count_since(tx, campaign_id, now - _HOUR) + number > MOST_PER_HOUR:
            raise WrongState(f"{MOST_PER_HOUR} test letters of a campaign in an hour are the most; wait a little")
        for draft in chosen:
            revision_id = freeze_trial(tx, app, checked, draft)
            for address in addresses:
                _queue(tx, app, actor, loaded, draft, revision_id, address, reader)
        # Not to whom: a tester may be a reader, too.
        after = {"versions": {one.language: one.version for one in chosen}, "letters": number}
        record_act(tx, app, actor, Act.SEND_TEST, campaign, after=after)
        return number

    return await with_checked_drafts(app, actor, Permission.WRITE, campaign_id, work, languages=languages)


async def list_tests(app: App, actor: Actor, campaign_id: int) -> tuple[TrialLetter, ...]:
    """The last 50 test letters of a campaign, the newest first. Raises NotFound, NotPermitted."""

    def work(tx: Connection) -> tuple[TrialLetter, ...]:
        return view_tests(tx, actor, load_drafts(tx, actor, Permission.READ, campaign_id))

    return await app.database.read(work)


def view_tests(tx: Connection, actor: Actor, loaded: CampaignDrafts) -> tuple[TrialLetter, ...]:
    """The newest test letters of a campaign, the newest first; addresses for whom may see people, and one's own."""
    sees_people = actor.may(Permission.SEE_PEOPLE, loaded.campaign.mailing_list_id)
    now_written = {one.language: one.text for one in loaded.drafts}
    found = test_letters.list_newest(tx, loaded.campaign.id)
    texts = revisions.load_sources(tx, {one.revision_id for one in found})
    return tuple(
        _view(
            one,
            sees_address=sees_people or one.address == actor.name,
            is_current=texts.get(one.revision_id) == now_written.get(one.language, ""),
        )
        for one in found
    )


def _view(one: SentTest, *, sees_address: bool, is_current: bool) -> TrialLetter:
    reply = one.reply
    return TrialLetter(
        address=one.address or "" if sees_address else "",
        language=one.language,
        sent_at=one.sent_at,
        sent_by=one.sent_by,
        state=one.state,
        reply=reply if reply is None or sees_address else hide_addresses(reply),
        is_current=is_current,
    )


def _check_addresses(actor: Actor, mailing_list: MailingList, addresses: Sequence[Address]) -> None:
    if not addresses:
        raise NotFound("there is nobody to send it to: the list has no testers yet")
    if actor.organiser_id is None:
        return
    allowed = {parse_address(text).key for text in (actor.name, mailing_list.owner, *mailing_list.testers)}
    for one in addresses:
        if one.key not in allowed:
            raise NotPermitted(f"{one.addr_spec} is not one of the list's testers; its owner can add them")


def _find_reader(tx: Connection, actor: Actor, campaign: Campaign, address: str) -> Reader:
    actor.require(Permission.SEE_PEOPLE, campaign.mailing_list_id)
    found = readers.find(tx, campaign.mailing_list_id, parse_address(address).key)
    if found is None:
        raise NotFound(f"{address} is not a confirmed reader of the list, whose values a test letter could have")
    return found


def _choose_editions(loaded: CampaignDrafts, languages: Sequence[str], reader: Reader | None) -> list[Draft]:
    by_language = {one.language: one for one in loaded.drafts}
    if reader is not None and not languages:
        chosen = choose_edition(reader.language, list(by_language), loaded.mailing_list.language)
        return [by_language[chosen.language]]
    for tag in languages:
        if tag not in by_language:
            raise NotFound(f"campaign {loaded.campaign.id} has no edition in language {tag!r}")
    return [by_language[tag] for tag in dict.fromkeys(languages or by_language)]


def _queue(
    tx: Connection,
    app: App,
    actor: Actor,
    loaded: CampaignDrafts,
    draft: Draft,
    revision_id: int,
    address: Address,
    as_reader: Reader | None,
) -> None:
    campaign, now = loaded.campaign, app.clock()
    reader = as_reader or readers.find(tx, campaign.mailing_list_id, address.key)
    notice = trial_notice(
        campaign_id=campaign.id,
        mailing_list_id=campaign.mailing_list_id,
        revision_id=revision_id,
        address=address.addr_spec,
        suppression_key=app.site.keyring.suppression_key(address.key),
        language=draft.language,
        name=reader.name if reader else None,
        attributes=reader.attributes if reader else {},
    )
    delivery_id = deliveries.queue_notice(tx, notice, now)
    test_letters.record(
        tx,
        campaign_id=campaign.id,
        language=draft.language,
        delivery_id=delivery_id or 0,
        revision_id=revision_id,
        sent_by=actor.name,
        now=now,
    )
