"""Freezes a campaign's drafts into revisions: those that its letters have, or trial ones for tests and approvals."""

from __future__ import annotations

from collections.abc import Callable, Collection
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
from mailer.domain.letters.edition_approval import unapproved_languages
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
    languages: Collection[str] | None = None,
) -> R:
    """Run `work` in a transaction in which the campaign's drafts are those that were checked.

    The editions in these languages have no errors; None: those that the campaign sends, empty: all.
    Raises CampaignFileRefused with the language and line of the first error, NotFound, NotPermitted, and WrongState
    if somebody keeps changing them.
    """

    def run(tx: Connection, checked: CheckedDrafts) -> tuple[R] | None:
        # The lock waits for a gate that is passing letters, and lets no launch begin.
        campaign = campaigns.get(tx, campaign_id, lock=True)
        if load_drafts(tx, actor, permission, campaign_id).whole_digest != checked.loaded.whole_digest:
            return None
        return (work(tx, campaign, checked),)

    for _ in range(_MOST_TRIES):
        checked = await check_drafts(app, actor, permission, campaign_id)
        named = checked.loaded.campaign.languages if languages is None else languages
        checked.require_no_error(named or None)
        if (result := await app.database.write(run, checked)) is not None:
            return result[0]
    raise WrongState("somebody is changing the texts; try again in a moment")


def freeze(
    tx: Connection, app: App, campaign: Campaign, checked: CheckedDrafts, sent: Collection[str] | None
) -> list[str]:
    """Give the letters of the editions that are `sent` (None: all) the texts of their drafts.

    Returns the languages of those that differed.
    """
    changed = [one for one in checked.loaded.drafts if not one.is_frozen and (sent is None or one.language in sent)]
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
    first = checked.first_file(sent)
    campaigns.set_subject(tx, campaign.id, first.subject)
    if campaign.state in _BEFORE_LAUNCH:
        campaigns.set_event_start(tx, campaign.id, event_start_time(first))
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


def require_approval(tx: Connection, actor: Actor, checked: CheckedDrafts, sent: Collection[str] | None) -> None:
    """Raise WrongState if the list asks for another's approval, and an edition that is `sent` (None: any) has none."""
    campaign_id, loaded = checked.loaded.campaign.id, checked.loaded
    if not loaded.mailing_list.needs_approval:
        return
    chosen = [one for one in loaded.drafts if sent is None or one.language in sent]
    given = approvals.list_newest(tx, campaign_id, loaded.texts, [one.language for one in chosen])
    if left := unapproved_languages(chosen, given, actor.name):
        raise WrongState(
            f"somebody else than {actor.name} must approve these texts first ({', '.join(left)}), on the review page or"
            f" by `mailer campaign approve {campaign_id}`; an edition by itself (--language), somebody else than its"
            " last writer"
        )
