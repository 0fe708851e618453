"""Invented deliveries and replies, for lanes and trays."""

from __future__ import annotations

from datetime import UTC, datetime

from mailer.domain.delivery import Concern, Delivery, Kind, RelayOutcome, Verdict

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)


def delivery(number: int, domain: str = "slow.example", attempts: int = 0) -> Delivery:
    """A claimed delivery to person NUMBER there."""
    return Delivery(
        id=number, campaign_id=1, kind=Kind.CAMPAIGN, mailing_list_id=1, subscription_id=number, revision_id=1,
        address=f"person{number}@{domain}", suppression_key=f"key {number}", name=None, language=None, values={},
        attempts=attempts, resends=0, queued_at=NOW, dated_at=None, claim_id=1,
    )  # fmt: skip


def relay_outcome(code: int | None, reply: str = "", concern: Concern = Concern.LETTER) -> RelayOutcome:
    """A relay's word."""
    verdicts = {2: Verdict.ACCEPTED, 4: Verdict.DEFERRED, 5: Verdict.REFUSED}
    return RelayOutcome(verdicts[(code or 400) // 100], code, reply or f"{code} words", concern)
