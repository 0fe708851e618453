"""Which of the people that an import changed were touched since, and by what."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, and_, or_, select

from mailer.domain.consent import IMPORT_NUMBER, ConsentAct
from mailer.domain.delivery import NEVER_HANDED, NOTICES
from mailer.domain.imports.import_run import ImportRunView
from mailer.domain.imports.import_undo import KeptReason
from mailer.store.imports.import_changes import ImportChange, load_values
from mailer.store.imports.import_tables import import_change, import_run
from mailer.store.people_tables import consent, returned, subscriber, subscription
from mailer.store.queue.queue_tables import campaign, delivery


def find_touched(tx: Connection, run: ImportRunView, changes: Sequence[ImportChange]) -> dict[int, KeptReason]:
    """Why those of these people must be kept who were touched since the import, by subscriber.

    Who is not known here any more is not among them.
    """
    ids = [one.subscriber_id for one in changes]
    present = load_values(tx, run.mailing_list_id, ids)
    changed = {
        one.subscriber_id
        for one in changes
        if one.subscriber_id in present
        and present[one.subscriber_id][1].fingerprint(present[one.subscriber_id][0]) != one.fingerprint
    }
    found: dict[int, KeptReason] = dict.fromkeys(changed, KeptReason.CHANGED)
    found |= dict.fromkeys(_imported_again(tx, run, ids), KeptReason.IMPORTED)
    found |= dict.fromkeys(find_mailed(tx, run, ids), KeptReason.MAILED)
    return found | find_active(tx, run, ids)


def find_active(tx: Connection, run: ImportRunView, subscriber_ids: Collection[int]) -> dict[int, KeptReason]:
    """Those of these people whose letters came back since, or of whom the consent record has a newer line."""
    since = (returned.c.subscriber_id.in_(subscriber_ids), returned.c.at >= run.started_at)
    bounced = tx.execute(select(returned.c.subscriber_id).where(*since)).scalars()
    found: dict[int, KeptReason] = dict.fromkeys(bounced, KeptReason.BOUNCED)
    lines = select(consent.c.subscriber_id, consent.c.evidence).where(
        consent.c.subscriber_id.in_(subscriber_ids),
        consent.c.at >= run.started_at,
        consent.c.act != ConsentAct.RESUMED,
    )
    acted = {row.subscriber_id for row in tx.execute(lines) if row.evidence.get(IMPORT_NUMBER) != run.number}
    return found | dict.fromkeys(acted, KeptReason.ACTED)


def find_mailed(tx: Connection, run: ImportRunView, subscriber_ids: Collection[int]) -> set[int]:
    """Those of these people who got a letter since the import began, or to whom one is under way."""
    answered_since = or_(delivery.c.answered_at.is_(None), delivery.c.answered_at >= run.started_at)
    letters = (
        select(subscription.c.subscriber_id)
        .join_from(subscription, delivery, delivery.c.subscription_id == subscription.c.id)
        .where(
            subscription.c.subscriber_id.in_(subscriber_ids),
            delivery.c.campaign_id.in_(recent_campaigns(tx, run)),
            delivery.c.campaign_id != NOTICES,
            or_(delivery.c.state.not_in(NEVER_HANDED), delivery.c.resends > 0),
            answered_since,
        )
    )
    notices = (
        select(subscriber.c.id)
        .join_from(subscriber, delivery, delivery.c.suppression_key == subscriber.c.suppression_key)
        .where(
            subscriber.c.id.in_(subscriber_ids),
            delivery.c.campaign_id == NOTICES,
            delivery.c.queued_at >= run.started_at,
        )
    )
    return {*tx.execute(letters).scalars(), *tx.execute(notices).scalars()}


def recent_campaigns(tx: Connection, run: ImportRunView) -> list[int]:
    """The campaigns whose letters may have gone to somebody since an import began."""
    going = and_(
        campaign.c.launched_at.is_not(None),
        or_(campaign.c.finished_at.is_(None), campaign.c.finished_at >= run.started_at),
    )
    return list(tx.execute(select(campaign.c.id).where(going)).scalars())


def _imported_again(tx: Connection, run: ImportRunView, subscriber_ids: Collection[int]) -> set[int]:
    later = list(tx.execute(select(import_run.c.id).where(import_run.c.id > run.number)).scalars())
    these = (import_change.c.run_id.in_(later), import_change.c.subscriber_id.in_(subscriber_ids))
    return set(tx.execute(select(import_change.c.subscriber_id).where(*these)).scalars())
