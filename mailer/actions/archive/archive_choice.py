"""Chooses what is in an archive: whether a letter is in it, and for a list that has not chosen, whether it has one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign, record_act
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import Campaign, CampaignState
from mailer.domain.letters.archive_paths import letter_name
from mailer.domain.mailing_list import ArchiveMode, MailingList, check_archive_mode
from mailer.errors import WrongState
from mailer.store import campaigns, mailing_lists
from mailer.store.accounts import audit_log
from mailer.store.letters.letter_sources import archive_of

_IS_THERE = (CampaignState.SENDING, CampaignState.PAUSED, CampaignState.SENT)


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchivePlace:
    """Who may read a campaign's letter on the web, and where."""

    campaign: Campaign
    mode: ArchiveMode
    url: str | None
    """The page for everybody, once it was sent; None if there is none."""


def archive_place(app: App, campaign: Campaign, mailing_list: MailingList) -> ArchivePlace:
    """Who may read a campaign's letter, as campaign and list are now."""
    mode = archive_of(mailing_list, campaign.archived)
    is_public = mode is ArchiveMode.PUBLIC and campaign.state in _IS_THERE
    url = f"{app.list_identity(mailing_list).archive_url}/{letter_name(campaign.id)}" if is_public else None
    return ArchivePlace(campaign=campaign, mode=mode, url=url)


async def set_archived(app: App, actor: Actor, campaign_id: int, archived: bool | None) -> ArchivePlace:
    """Put a campaign's letter into its list's archive, or take it out, at once; None: as the list has it.

    Letters that are launched already keep the line with the link that they have. Raises NotFound, NotPermitted unless
    the actor may send, and WrongState for True where the list has no archive.
    """

    def work(tx: Connection) -> ArchivePlace:
        campaign = load_campaign(tx, actor, Permission.SEND, campaign_id, lock=True)
        mailing_list = mailing_lists.get(tx, campaign.mailing_list_id)
        if archived and archive_of(mailing_list, None) is ArchiveMode.OFF:
            raise WrongState(
                f"the list {mailing_list.name} has no archive: `mailer list set {mailing_list.name} --archive public`"
                " opens one"
            )
        if campaign.archived != archived:
            campaigns.set_archived(tx, campaign_id, archived)
            before, after = {"archived": campaign.archived}, {"archived": archived}
            record_act(tx, app, actor, Act.ARCHIVE_CAMPAIGN, campaign, before=before, after=after)
        return archive_place(app, campaigns.get(tx, campaign_id), mailing_list)

    return await app.database.write(work)


async def choose_archive(app: App, actor: Actor, campaign_id: int, mode: str) -> None:
    """Choose who may read the letters of a campaign's list on the web, if nobody has chosen yet; else nothing happens.

    Raises NotFound, ListDesignRefused for what is no ArchiveMode, NotPermitted unless the actor manages the list.
    """
    chosen = check_archive_mode(mode)

    def work(tx: Connection) -> None:
        mailing_list = mailing_lists.get(tx, campaigns.get(tx, campaign_id).mailing_list_id)
        actor.require(Permission.MANAGE_LIST, mailing_list.id)
        if mailing_list.archive is not None:
            return
        mailing_lists.change(tx, mailing_list.id, {"archive": chosen})
        audit_log.record(
            tx,
            actor,
            Act.CHANGE_LIST,
            subject=f"list {mailing_list.name}",
            mailing_list_id=mailing_list.id,
            before={"archive": None},
            after={"archive": chosen.value},
            now=app.clock(),
        )

    await app.database.write(work)
