from datetime import UTC, datetime

from mailer.domain.bounce import FeedbackKind
from mailer.domain.delivery_feedback import DeliveryFeedback
from mailer.domain.refusal_queue import RefusalQueue


def refusal(number: int) -> DeliveryFeedback:
    return DeliveryFeedback(
        delivery_id=number,
        address=None,
        kind=FeedbackKind.BOUNCE,
        bounce=None,
        complaint=None,
        channel="smtp",
        message_id=None,
        at=datetime(2027, 3, 1, tzinfo=UTC),
    )


def test_refusals_come_in_their_order_and_stay_until_they_are_removed() -> None:
    queue = RefusalQueue()
    for number in range(3):
        queue.add(refusal(number))

    assert [one.delivery_id for one in queue.oldest(2)] == [0, 1]
    assert [one.delivery_id for one in queue.oldest(2)] == [0, 1]

    queue.remove_oldest(2)

    assert (len(queue), [one.delivery_id for one in queue.oldest(2)]) == (1, [2])


def test_an_empty_queue_is_false() -> None:
    assert not RefusalQueue()
