"""Freezes a campaign's drafts into revisions: those that its letters have, or trial ones for tests and approvals."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from mailer.actions.campaigns.checked_drafts import CheckedDrafts, check_drafts, load_drafts
from mailer.actions.campaigns.new_campaign import event_start_time
from mailer.actions.delivery.letter_making import describe_making
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import Campaign, CampaignState
from mailer.domain.draft import Draft
from mailer.errors import WrongState
from mailer.store import campaigns, revisions
from mailer.store.writing import approvals

R = TypeVar("R")

_MOST_TRIES = 3
_BEFORE_LAUNCH = (CampaignState.DRAFT, CampaignState.SCHEDULED)


async def with_checked_drafts(
    app: App,
    actor: Actor,
    permission: Permission,
    campaign_id: int,
    work: Callable[[Connection, Campaign, CheckedDrafts], R],
) -> R:
    """Run `work` in a transaction in which the campaign's drafts are those that were checked, without errors.

    Raises CampaignFileRefused with the language and line of the first error, NotFound, NotPermitted, and WrongState
    if somebody keeps changing them.
    """

    def run(tx: Connection, checked: CheckedDrafts) -> tuple[R] | None:
        # The lock waits for a gate that is passing letters, and lets no launch begin.
        campaign = campaigns.get(tx, campaign_id, lock=True)
        if load_drafts(tx, actor, permission, campaign_id).digest != checked.loaded.digest:
            return None
        return (work(tx, campaign, checked),)

    for _ in range(_MOST_TRIES):
        checked = await check_drafts(app, actor, permission, campaign_id)
        checked.require_no_error()
        if (result := await app.database.write(run, checked)) is not None:
            return result[0]
    raise WrongState("somebody is changing the texts; try again in a moment")


def freeze(tx: Connection, app: App, campaign: Campaign, checked: CheckedDrafts) -> list[str]:
    """Give the campaign's letters the texts of its drafts; returns the languages of those that differed."""
    changed = [one for one in checked.loaded.drafts if not one.is_frozen]
    mailing_list = None if campaign.state in _BEFORE_LAUNCH else checked.loaded.mailing_list
    for one in changed:
        revisions.add_revision(
            tx,
            edition_id=one.edition_id,
            manuscript=one.text,
            now=app.clock(),
            mailing_list=mailing_list,
            made_with=describe_making(app),
        )
    default = checked.default_file
    campaigns.set_subject(tx, campaign.id, default.subject)
    if campaign.state in _BEFORE_LAUNCH:
        campaigns.set_event_start(tx, campaign.id, event_start_time(default))
    return [one.language for one in changed]


def freeze_trial(tx: Connection, app: App, checked: CheckedDrafts, draft: Draft) -> int:
    """The id of a revision with the text of a draft, which the campaign's letters do not have yet."""
    return revisions.add_trial(
        tx,
        edition_id=draft.edition_id,
        manuscript=draft.text,
        now=app.clock(),
        mailing_list=checked.loaded.mailing_list,
    )


def require_approval(tx: Connection, actor: Actor, checked: CheckedDrafts) -> None:
    """Raise WrongState if the list asks for another's approval, and there is none of these texts."""
    campaign_id, digest = checked.loaded.campaign.id, checked.loaded.digest
    if checked.loaded.mailing_list.needs_approval and not approvals.is_approved(
        tx, campaign_id, digest, other_than=actor.name
    ):
        raise WrongState(
            f"somebody else than {actor.name} must approve these texts first, on the review page or by"
            f" `mailer campaign approve {campaign_id}`"
        )
