"""Approves a campaign's texts."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import record_act
from mailer.actions.campaigns.checked_drafts import CheckedDrafts
from mailer.actions.campaigns.drafts import CAN_BE_WRITTEN
from mailer.actions.campaigns.freeze_drafts import freeze_trial, with_checked_drafts
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import Campaign, check_state
from mailer.domain.draft import Draft, text_digest
from mailer.errors import NotFound, WrongState
from mailer.store.writing import approvals


async def approve(
    app: App, actor: Actor, campaign_id: int, *, reviewed: str | None = None, language: str | None = None
) -> None:
    """Say that the texts as they are now may be sent: of all editions that are, or of the one in this language.

    It is void once a text changes, and counts for others only; that of one edition not for its last writer, either.
    Who translates into a language may approve its edition; to approve all takes the permission to write.

    `reviewed` is the digest of what was looked at: that of the review page, or `text_digest` of the one text. With it,
    raises WrongState if it was changed since. Also raises NotFound, NotPermitted, WrongState for a campaign that is
    over, and CampaignFileRefused if a text has an error.
    """

    def work(tx: Connection, campaign: Campaign, checked: CheckedDrafts) -> None:
        check_state(campaign, allowed=CAN_BE_WRITTEN, action="be approved")
        approved = _texts_to_approve(actor, checked, language)
        digest = checked.loaded.digest if language is None else text_digest(approved[0].text)
        _require_same(reviewed, digest)
        for one in approved:
            freeze_trial(tx, app, checked, one)
        approvals.add(tx, campaign_id, actor, digest, app.clock(), language=language)
        versions = {one.language: one.version for one in approved}
        record_act(tx, app, actor, Act.APPROVE_CAMPAIGN, campaign, after={"versions": versions})

    languages = None if language is None else (language,)
    await with_checked_drafts(app, actor, Permission.READ, campaign_id, work, languages=languages)


def _texts_to_approve(actor: Actor, checked: CheckedDrafts, language: str | None) -> list[Draft]:
    """The drafts to approve. Raises NotFound, NotPermitted."""
    campaign = checked.loaded.campaign
    if language is None:
        actor.require(Permission.WRITE, campaign.mailing_list_id)
        return [one for one in checked.loaded.drafts if campaign.sends(one.language)]
    actor.require(Permission.TRANSLATE, campaign.mailing_list_id, language)
    found = [one for one in checked.loaded.drafts if one.language == language]
    if not found:
        raise NotFound(f"campaign {campaign.id} has no edition in language {language!r}")
    return found


def require_reviewed(checked: CheckedDrafts, reviewed: str | None) -> None:
    """Raise WrongState if the drafts are not those that were reviewed; None: nobody says which were."""
    _require_same(reviewed, checked.loaded.digest)


def _require_same(reviewed: str | None, digest: str) -> None:
    if reviewed is not None and reviewed != digest:
        raise WrongState("the texts were changed after you reviewed them; look at them again")
