"""Who gets which edition of a campaign, and the choice of the editions that are sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from mailer.actions.campaigns.campaign_access import load_campaign, record_act
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import Campaign, CampaignState, check_state
from mailer.domain.letters.edition_choice import EditionReaders, count_by_edition
from mailer.errors import NotFound, WrongState
from mailer.store import audience, campaigns, mailing_lists, revisions

_NOBODY_LEFT_OUT = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class AudienceChoice:
    """Which of its readers a campaign is sent to."""

    languages: Sequence[str] | None = None
    """Those of these editions; an empty sequence: of all; None: as was chosen before."""
    not_mailed_by: int | None = None
    """Whom this campaign did not mail, nor may have; 0: mailed or not; None: as was chosen before."""


AS_BEFORE = AudienceChoice()


def edition_readers(tx: Connection, campaign: Campaign) -> tuple[EditionReaders, ...]:
    """Who would get each edition of a campaign now, the default one first; counts all people of its list."""
    editions = list(revisions.editions_by_language(tx, campaign.id))
    of_list = mailing_lists.get(tx, campaign.mailing_list_id).language
    return count_by_edition(audience.count_by_language(tx, campaign), editions, of_list)


async def choose_editions(app: App, actor: Actor, campaign_id: int, languages: Collection[str]) -> Campaign:
    """Let a draft be sent to the readers of these editions alone, of all if none is named; the others wait.

    Raises NotFound, also for a language without an edition, NotPermitted, and WrongState unless it is a draft.
    """

    def work(tx: Connection) -> Campaign:
        campaign = load_campaign(tx, actor, Permission.SEND, campaign_id, lock=True)
        check_state(campaign, allowed=(CampaignState.DRAFT,), action="have its editions chosen")
        chosen = chosen_languages(tx, campaign, AudienceChoice(languages=tuple(languages)))
        if chosen != campaign.languages:
            campaigns.set_audience(tx, campaign_id, chosen, campaign.not_mailed_by)
            before, after = _named(campaign.languages), _named(chosen)
            record_act(tx, app, actor, Act.CHOOSE_EDITIONS, campaign, before=before, after=after)
        return campaigns.get(tx, campaign_id)

    return await app.database.write(work)


def chosen_languages(tx: Connection, campaign: Campaign, choice: AudienceChoice) -> tuple[str, ...] | None:
    """The editions that are sent, the default one first; None for all. Raises NotFound where there is none of these."""
    editions = list(revisions.editions_by_language(tx, campaign.id))
    if choice.languages is None:
        return campaign.languages
    for tag in choice.languages:
        if tag not in editions:
            raise NotFound(
                f"campaign {campaign.id} has no edition in language {tag!r} (there are: {', '.join(editions)})"
            )
    chosen = tuple(one for one in editions if one in choice.languages)
    return None if not chosen or len(chosen) == len(editions) else chosen


def chosen_earlier(tx: Connection, actor: Actor, campaign: Campaign, choice: AudienceChoice) -> int | None:
    """The campaign whose recipients get nothing. Raises NotFound, NotPermitted, WrongState if it was not launched."""
    if choice.not_mailed_by is None:
        return campaign.not_mailed_by
    if choice.not_mailed_by == _NOBODY_LEFT_OUT:
        return None
    earlier = load_campaign(tx, actor, Permission.READ, choice.not_mailed_by)
    if earlier.launched_at is None or earlier.id == campaign.id:
        raise WrongState(f"campaign {earlier.id} has mailed nobody yet; name one that was sent before")
    return earlier.id


def _named(languages: Sequence[str] | None) -> dict[str, object]:
    return {"sent_editions": "all" if languages is None else list(languages)}
