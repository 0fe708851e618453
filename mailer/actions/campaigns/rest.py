"""Makes the campaign that sends the editions that were not sent yet."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.actions.campaigns.again import copy_drafts
from mailer.actions.campaigns.campaign_access import load_campaign, record_act
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.campaign import Campaign
from mailer.errors import WrongState
from mailer.store import audience, campaigns
from mailer.store.writing import drafts


async def rest(app: App, actor: Actor, campaign_id: int) -> int:
    """Store a draft with the same texts for the readers of the editions that this campaign did not send; its id.

    Whoever it mailed, or may have, gets nothing of it, whatever their language is by then. Raises NotFound,
    NotPermitted, and WrongState if the campaign was not launched, sent all its editions, or has such a draft already.
    """

    def work(tx: Connection) -> int:
        earlier = load_campaign(tx, actor, Permission.WRITE, campaign_id, lock=True)
        waiting = _waiting_languages(tx, earlier)
        now = app.clock()
        number = campaigns.add(
            tx,
            mailing_list_id=earlier.mailing_list_id,
            subject=earlier.subject,
            event_starts_at=None,
            now=now,
            when_uncertain=earlier.when_uncertain,
        )
        copy_drafts(tx, campaign_id, number, actor.name, now)
        campaigns.set_audience(tx, number, tuple(waiting), campaign_id)
        made = campaigns.get(tx, number)
        after = {"like": f"campaign {campaign_id}", "sent_editions": waiting, "not_mailed_by": campaign_id}
        record_act(tx, app, actor, Act.ADD_CAMPAIGN, made, after=after)
        return number

    return await app.database.write(work)


def _waiting_languages(tx: Connection, earlier: Campaign) -> list[str]:
    """The editions that neither this campaign sent nor one before it. Raises WrongState if there is nothing to send."""
    if earlier.launched_at is None:
        raise WrongState(f"campaign {earlier.id} is {earlier.state}: the others can be sent once it has been")
    before = [one for one in audience.campaigns_before(tx, earlier) if one.mailing_list_id == earlier.mailing_list_id]
    waiting = [
        draft.language
        for draft in drafts.list_drafts(tx, earlier.id)
        if not any(one.sends(draft.language) for one in (earlier, *before))
    ]
    if not waiting:
        raise WrongState(f"campaign {earlier.id} sent all its editions, or one before it did; none waits")
    if (after := campaigns.next_of(tx, earlier)) is not None:
        raise WrongState(f"campaign {after} is for those whom campaign {earlier.id} did not mail, already")
    return waiting
