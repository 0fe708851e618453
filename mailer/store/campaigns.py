"""Campaigns and the states they move through."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, exists, insert, null, or_, select, update

from mailer.domain.campaign import Campaign, CampaignState
from mailer.domain.page import MAX_PAGE_SIZE, Page, cursor_id, make_page, page_size
from mailer.errors import NotFound
from mailer.store.notify import Wakeup, notify
from mailer.store.queue.queue_tables import campaign, delivery


def add(
    tx: Connection,
    *,
    mailing_list_id: int,
    subject: str,
    event_starts_at: datetime | None,
    now: datetime,
    when_uncertain: str = "resend",
) -> int:
    """Add a draft; returns its id."""
    made = tx.execute(
        insert(campaign)
        .values(
            mailing_list_id=mailing_list_id,
            state=CampaignState.DRAFT,
            subject=subject,
            event_starts_at=event_starts_at,
            when_uncertain=when_uncertain,
            created_at=now,
        )
        .returning(campaign.c.id)
    )
    return made.scalar_one()


def get(tx: Connection, campaign_id: int, *, lock: bool = False) -> Campaign:
    """The campaign of that id. Raises NotFound. `lock` keeps others from changing its state until we commit."""
    query = select(campaign).where(campaign.c.id == campaign_id)
    found = 0 < campaign_id < 2**63 and tx.execute(query.with_for_update() if lock else query)
    row = found.one_or_none() if found else None
    if row is None:
        raise NotFound(f"there is no campaign {campaign_id}")
    return campaign_from_row(row)


def list_page(
    tx: Connection, after: str = "", limit: int = MAX_PAGE_SIZE, mailing_list_ids: Collection[int] | None = None
) -> Page[Campaign]:
    """A page of the campaigns of these lists (None: of all), newest first; `after` is the cursor of the page before."""
    query = select(campaign).order_by(campaign.c.id.desc()).limit(page_size(limit) + 1)
    if mailing_list_ids is not None:
        query = query.where(campaign.c.mailing_list_id.in_(mailing_list_ids))
    if after:
        query = query.where(campaign.c.id < cursor_id(after))
    found = [campaign_from_row(row) for row in tx.execute(query)]
    return make_page(found, limit, lambda one: str(one.id))


def ids_in_states(tx: Connection, *states: CampaignState) -> list[int]:
    """The ids of the campaigns in these states, oldest first."""
    return list(tx.execute(select(campaign.c.id).where(campaign.c.state.in_(states)).order_by(campaign.c.id)).scalars())


def last_of_list(tx: Connection, mailing_list_id: int, other_than: int) -> Campaign | None:
    """The last campaign of a list that was launched, apart from one; or None."""
    found = select(campaign).where(
        campaign.c.mailing_list_id == mailing_list_id,
        campaign.c.id != other_than,
        campaign.c.launched_at.is_not(None),
    )
    row = tx.execute(found.order_by(campaign.c.launched_at.desc()).limit(1)).one_or_none()
    return None if row is None else campaign_from_row(row)


def next_of(tx: Connection, earlier: Campaign) -> int | None:
    """The id of a campaign of the same list that leaves out whom this one mailed, unless it is cancelled; or None."""
    found = select(campaign.c.id).where(
        campaign.c.not_mailed_by == earlier.id,
        campaign.c.mailing_list_id == earlier.mailing_list_id,
        campaign.c.state != CampaignState.CANCELLED,
    )
    return tx.execute(found.limit(1)).scalar_one_or_none()


def list_due(tx: Connection, now: datetime) -> list[Campaign]:
    """The scheduled campaigns whose time has come."""
    found = tx.execute(
        select(campaign)
        .where(campaign.c.state == CampaignState.SCHEDULED, campaign.c.scheduled_at <= now)
        .order_by(campaign.c.scheduled_at, campaign.c.id)
    )
    return [campaign_from_row(row) for row in found]


def list_over_with_waiting(tx: Connection, now: datetime) -> list[tuple[int, CampaignState]]:
    """Campaigns that are cancelled or whose event has begun, and of which deliveries still wait."""
    is_over = or_(
        campaign.c.state == CampaignState.CANCELLED,
        and_(campaign.c.state.in_((CampaignState.SENDING, CampaignState.PAUSED)), campaign.c.event_starts_at <= now),
    )
    has_hour = exists().where(delivery.c.campaign_id == campaign.c.id, delivery.c.due_at.is_not(None))
    waiting = or_(campaign.c.claim_cursor < campaign.c.launch_cursor, has_hour)
    found = tx.execute(select(campaign.c.id, campaign.c.state).where(is_over, waiting).order_by(campaign.c.id))
    return [(number, CampaignState(state)) for number, state in found]


def change_state(
    tx: Connection,
    campaign_id: int,
    to_state: CampaignState,
    *,
    from_states: tuple[CampaignState, ...],
    scheduled_by: datetime | None = None,
    **values: Any,
) -> bool:
    """Change the state (and `values`) if it is one of `from_states`; returns whether it was changed.

    With `scheduled_by`, only if it is scheduled for that time or earlier. Of several concurrent callers one succeeds.
    """
    still = () if scheduled_by is None else (campaign.c.scheduled_at <= scheduled_by,)
    change = update(campaign).where(campaign.c.id == campaign_id, campaign.c.state.in_(from_states), *still)
    changed = bool(tx.execute(change.values(state=to_state, **values)).rowcount)
    if changed:
        notify(tx, Wakeup.CAMPAIGNS, Wakeup.SCHEDULE)
    return changed


def set_subject(tx: Connection, campaign_id: int, subject: str) -> None:
    """Set the subject by which people know the campaign: that of its default edition."""
    tx.execute(update(campaign).where(campaign.c.id == campaign_id).values(subject=subject))


def set_event_start(tx: Connection, campaign_id: int, at: datetime | None) -> None:
    """Set when the event begins to which a campaign invites; nothing is sent after that."""
    tx.execute(update(campaign).where(campaign.c.id == campaign_id).values(event_starts_at=at))


def set_audience(
    tx: Connection, campaign_id: int, languages: tuple[str, ...] | None, not_mailed_by: int | None
) -> None:
    """Set of which editions readers get it (None: of all), and by which campaign they must not have been mailed."""
    values = audience_values(languages, not_mailed_by)
    tx.execute(update(campaign).where(campaign.c.id == campaign_id).values(values))


def audience_values(languages: tuple[str, ...] | None, not_mailed_by: int | None) -> dict[str, Any]:
    """The values of a campaign's row for whom it is sent to."""
    return {"languages": null() if languages is None else list(languages), "not_mailed_by": not_mailed_by}


def suggest_time(tx: Connection, campaign_id: int, local_time: str, zone: str) -> None:
    """Set the hour that is suggested for a draft, in a zone; it is not scheduled by that."""
    tx.execute(update(campaign).where(campaign.c.id == campaign_id).values(local_time=local_time, zone=zone))


def set_archived(tx: Connection, campaign_id: int, archived: bool | None) -> None:
    """Set whether a campaign's letter is in the archive; None: as the list has it."""
    tx.execute(update(campaign).where(campaign.c.id == campaign_id).values(archived=archived))


def record_correction(tx: Connection, campaign_id: int, subject: str | None) -> None:
    """Count a correction of the text, so that letters rendered before and not handed yet are void; set the subject if
    given."""
    values: dict[str, Any] = {"corrections": campaign.c.corrections + 1}
    if subject is not None:
        values["subject"] = subject
    tx.execute(update(campaign).where(campaign.c.id == campaign_id).values(values))


def advance_launch(tx: Connection, campaign_id: int, *, cursor: int, more: int) -> None:
    """Record that `more` deliveries were written, up to this subscription id."""
    tx.execute(
        update(campaign)
        .where(campaign.c.id == campaign_id)
        .values(launch_cursor=cursor, audience=campaign.c.audience + more)
    )


def campaign_from_row(row: Row[Any]) -> Campaign:
    """A campaign from a row of its table."""
    return Campaign(
        id=row.id,
        mailing_list_id=row.mailing_list_id,
        state=CampaignState(row.state),
        subject=row.subject,
        event_starts_at=row.event_starts_at,
        scheduled_at=row.scheduled_at,
        local_time=row.local_time,
        zone=row.zone,
        launched_at=row.launched_at,
        launch_cursor=row.launch_cursor,
        launch_ceiling=row.launch_ceiling,
        audience=row.audience,
        corrections=row.corrections,
        when_uncertain=row.when_uncertain,
        over_s=row.over_s,
        anyway=row.anyway,
        remark=row.remark,
        stopped_at=row.stopped_at,
        finished_at=row.finished_at,
        archived=row.archived,
        languages=None if row.languages is None else tuple(row.languages),
        not_mailed_by=row.not_mailed_by,
        anyway_reason=row.anyway_reason,
        checked_at=row.checked_at,
    )
