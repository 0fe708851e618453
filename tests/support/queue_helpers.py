"""Short ways to put letters into the queue, to the gate and away, as a worker would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from mailer.domain.address import parse_address
from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import Delivery, DeliveryOutcome, DeliveryState, RelayOutcome, Verdict
from mailer.domain.retry import decide_outcome
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.store import audience, campaign_progress, campaigns, revisions, subscribers, subscriptions, suppressions
from mailer.store import mailing_lists as lists
from mailer.store.counts import campaign_counts
from mailer.store.queue import claims, crash_recovery, gate, orphans, workers
from mailer.store.queue import deliveries as queue
from mailer.store.queue.crash_recovery import RecoveredDeliveries
from mailer.store.queue.gate import HandoffRequest
from mailer.store.queue.queue_tables import campaign, claim, delivery, edition, revision

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
EVENT = timedelta(hours=8)
SENDING, PAUSED, CANCELLED = CampaignState.SENDING, CampaignState.PAUSED, CampaignState.CANCELLED
LAUNCHING, SENT = CampaignState.LAUNCHING, CampaignState.SENT
HANDED, CLAIMED, QUEUED = DeliveryState.HANDED, DeliveryState.CLAIMED, DeliveryState.QUEUED
FINAL = set(DeliveryState) - {HANDED, CLAIMED, QUEUED, DeliveryState.DEFERRED}


def add_confirmed(tx: Connection, mailing_list_id: int, attributes: Mapping[int, dict[str, str]]) -> None:
    """Let these subscribers be readers of a list, with their attributes."""
    state = {"state": SubscriptionState.CONFIRMED, "created_at": NOW, "changed_at": NOW}
    rows = [
        {"mailing_list_id": mailing_list_id, "subscriber_id": number, "attributes": held} | state
        for number, held in attributes.items()
    ]
    subscriptions.add_missing(tx, rows)


def launched_campaign(
    tx: Connection,
    people: int | Iterable[str],
    *,
    name: str = "appeals",
    when_uncertain: str = "resend",
    over_s: int | None = None,
) -> int:
    """A campaign to so many people (or to these) whose audience is frozen; its id."""
    appeals = lists.add(tx, name=name, title="Appeals", description="", language="en", owner="ada@example.org", now=NOW)
    texts = [f"person{number}@example.org" for number in range(people)] if isinstance(people, int) else people
    addresses = [parse_address(one) for one in texts]
    ids = [subscribers.find_or_add(tx, one, f"key of {one.key}", NOW) for one in addresses]
    add_confirmed(tx, appeals.id, {number: {} for number in ids})
    campaign_id = campaigns.add(
        tx,
        mailing_list_id=appeals.id,
        subject="Seeds",
        event_starts_at=NOW + EVENT,
        now=NOW,
        when_uncertain=when_uncertain,
    )
    for language in ("en", "de"):
        revisions.add_edition(
            tx, campaign_id=campaign_id, language=language, is_default=language == "en", manuscript=language, now=NOW
        )
    ceiling = audience.highest_subscription_id(tx, appeals.id)
    draft = (CampaignState.DRAFT,)
    campaigns.change_state(
        tx, campaign_id, SENDING, from_states=draft, launched_at=NOW, launch_ceiling=ceiling, over_s=over_s
    )
    written = audience.freeze_audience(tx, campaigns.get(tx, campaign_id), ceiling)
    campaigns.advance_launch(tx, campaign_id, cursor=ceiling, more=written)
    return campaign_id


def correct_campaign(tx: Connection, campaign_id: int) -> None:
    """The campaign's text is corrected: letters written before must not go out."""
    english = select(edition.c.id).where(edition.c.campaign_id == campaign_id, edition.c.language == "en")
    number = tx.execute(english).scalar_one()
    tx.execute(insert(revision).values(edition_id=number, manuscript="corrected", created_at=NOW))
    tx.execute(update(campaign).where(campaign.c.id == campaign_id).values(corrections=campaign.c.corrections + 1))


def leave_list(tx: Connection, address: str, mailing_list_id: int, now: datetime = NOW) -> None:
    """A person goes, from one list or from every list."""
    suppressions.add(tx, f"key of {address}", mailing_list_id, SuppressionReason.LEFT, now)
    queue.suppress_waiting(tx, subscribers.ids_by_key(tx, [address])[address], mailing_list_id)


def add_worker(tx: Connection) -> int:
    """One more worker."""
    return workers.register(tx, "campaigns", NOW)


def claim_deliveries(
    tx: Connection, campaign_id: int, worker_id: int, most: int = 10, now: datetime = NOW
) -> list[Delivery]:
    """What the worker claims."""
    return claims.claim_deliveries(tx, campaign_id, worker_id, most, now)


def handoff_request(one: Delivery, now: datetime = NOW, **other: Any) -> HandoffRequest:
    """The letter of a delivery, before the gate."""
    asked: dict[str, Any] = {
        "delivery_id": one.id,
        "claim_id": one.claim_id,
        "campaign_id": one.campaign_id,
        "suppression_key": one.suppression_key,
        "dated_at": one.dated_at or now,
        "revision_id": one.revision_id,
        "language": one.language,
        "values": (one.values | ({"name": one.name} if one.name else {})) or None if one.campaign_id else None,
        "corrections": one.corrections,
    }
    return HandoffRequest(**asked | other)


def hand_over(tx: Connection, worker_id: int, *those: Delivery, now: datetime = NOW) -> set[int]:
    """Which of these pass the gate."""
    return gate.commit_batch(tx, worker_id, [], [handoff_request(one, now) for one in those], [], now)


def delivery_outcome(one: Delivery, verdict: Verdict, now: datetime = NOW) -> DeliveryOutcome:
    """What the relay's word means for a handed letter."""
    return decide_outcome(one, RelayOutcome(verdict, None, verdict.value), now, 0.0)


def record_verdict(tx: Connection, worker_id: int, verdict: Verdict, *those: Delivery, now: datetime = NOW) -> None:
    """The relay's word on handed letters is written down."""
    gate.commit_batch(tx, worker_id, [delivery_outcome(one, verdict, now) for one in those], [], [], now)


def state_counts(tx: Connection, campaign_id: int) -> dict[DeliveryState, int]:
    return campaign_counts.count_by_state(tx, campaign_id)


def state_by_address(tx: Connection, campaign_id: int) -> dict[str, DeliveryState]:
    """Everybody's state, by address."""
    return {line.address: line.state for line in campaign_progress.list_recipients(tx, campaign_id, 0, 1000)}


def delivery_row(tx: Connection, delivery_id: int) -> Any:
    """A delivery as the ledger has it."""
    return tx.execute(select(delivery).where(delivery.c.id == delivery_id)).one()


def open_claims(tx: Connection) -> set[int]:
    """The claims that are not done."""
    return set(tx.execute(_CLAIMS).scalars())


_CLAIMS = select(claim.c.id)


def recover_dead(tx: Connection, *worker_ids: int, now: datetime = NOW) -> RecoveredDeliveries:
    """These workers are known to be dead."""
    return crash_recovery.recover_dead_workers(tx, worker_ids, now)


def find_orphans(tx: Connection, campaign_id: int) -> list[int]:
    """Deliveries that nobody would ever take."""
    return orphans.find_orphans(tx, campaign_id).ids
