"""Adds and removes the editions of a campaign, and says that one is up to date."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign, record_act
from mailer.actions.campaigns.drafts import load_writable
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import Campaign, CampaignState, check_state
from mailer.domain.draft import text_digest
from mailer.domain.language import parse_language
from mailer.errors import CampaignFileRefused, WrongState
from mailer.mail.compose.letter_fields import join_fields
from mailer.store import campaigns
from mailer.store.writing import drafts, test_letters

_BEFORE_LAUNCH = (CampaignState.DRAFT, CampaignState.SCHEDULED)


async def add_edition(app: App, actor: Actor, campaign_id: int, language: str) -> str:
    """Add a draft in a language, which begins with the default edition's text; returns its language tag.

    Raises NotFound, NotPermitted, CampaignFileRefused for what is no language tag, and WrongState if there is one in
    that language already or if the campaign was launched.
    """
    tag = parse_language(language)
    if tag is None:
        raise CampaignFileRefused(f"{language!r} is not a language tag like de or pt-br")

    def work(tx: Connection) -> None:
        campaign = _load_before_launch(tx, actor, Permission.TRANSLATE, campaign_id, tag)
        found = drafts.list_drafts(tx, campaign_id)
        if tag in (languages := [one.language for one in found]):
            raise WrongState(f"campaign {campaign_id} has an edition in language {tag!r} already")
        drafts.ensure(tx, campaign_id)
        text = join_fields(found[0].text, {"language": tag})
        now = app.clock()
        drafts.add_edition(
            tx, campaign_id=campaign_id, language=tag, is_default=False, text=text, by=actor.name, now=now
        )
        before, after = {"languages": languages}, {"languages": [*languages, tag]}
        record_act(tx, app, actor, Act.ADD_EDITION, campaign, before=before, after=after)

    await app.database.write(work)
    return tag


async def remove_edition(app: App, actor: Actor, campaign_id: int, language: str) -> None:
    """Remove an edition with all its versions.

    Raises NotFound, NotPermitted, and WrongState for the default edition, after the launch, and while a test letter of
    it is under way.
    """

    def work(tx: Connection) -> None:
        campaign = _load_before_launch(tx, actor, Permission.WRITE, campaign_id)
        removed = drafts.get(tx, campaign_id, language)
        if removed.is_default:
            raise WrongState("the default edition stays: readers whose language has no edition get it")
        if test_letters.has_open(tx, campaign_id, language):
            raise WrongState("a test letter of this edition is under way; try again in a minute")
        if campaign.languages == (language,):
            raise WrongState("it is the only edition that this campaign is sent in; choose another one first")
        languages = [one.language for one in drafts.list_drafts(tx, campaign_id)]
        drafts.remove_edition(tx, removed.edition_id)
        if campaign.languages is not None:
            sent = tuple(one for one in campaign.languages if one != language)
            campaigns.set_audience(tx, campaign_id, sent, campaign.not_mailed_by)
        after = {"languages": [one for one in languages if one != language]}
        record_act(tx, app, actor, Act.REMOVE_EDITION, campaign, before={"languages": languages}, after=after)

    await app.database.write(work)


async def mark_up_to_date(app: App, actor: Actor, campaign_id: int, language: str) -> None:
    """Say that an edition is up to date with the default edition as it is now. Raises NotFound, NotPermitted."""

    def work(tx: Connection) -> None:
        campaign = load_writable(tx, actor, campaign_id, language)
        current = drafts.lock(tx, campaign_id, language)
        digest = text_digest(drafts.get(tx, campaign_id, None).text)
        if current.is_default or current.source_digest == digest:
            return
        drafts.set_source_digest(tx, current.edition_id, digest)
        after = {"language": language, "version": current.version, "up_to_date": True}
        record_act(tx, app, actor, Act.WRITE_CAMPAIGN, campaign, after=after)

    await app.database.write(work)


def _load_before_launch(
    tx: Connection, actor: Actor, permission: Permission, campaign_id: int, language: str | None = None
) -> Campaign:
    """The campaign, locked: a launch that begins meanwhile waits."""
    campaign = load_campaign(tx, actor, Permission.READ, campaign_id, lock=True)
    actor.require(permission, campaign.mailing_list_id, language)
    check_state(campaign, allowed=_BEFORE_LAUNCH, action="have its editions changed")
    return campaign
