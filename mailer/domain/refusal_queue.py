"""RefusalQueue: refusals by relays that wait to be recorded as bounces of their recipients."""

from __future__ import annotations

from mailer.domain.delivery_feedback import DeliveryFeedback


class RefusalQueue:
    """First in, first out; held in memory only, so a crash loses it, and the next campaign meets those people again."""

    def __init__(self) -> None:
        self._waiting: list[DeliveryFeedback] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, refusal: DeliveryFeedback) -> None:
        """Append one refusal."""
        self._waiting.append(refusal)

    def oldest(self, limit: int) -> list[DeliveryFeedback]:
        """Up to `limit` refusals; they stay until `remove_oldest`, so that a failed transaction loses none."""
        return self._waiting[:limit]

    def remove_oldest(self, number: int) -> None:
        """Drop refusals that are recorded."""
        del self._waiting[:number]
