"""Deliveries that nobody would ever take: they are found, whatever left them so, and nothing else is taken for one."""

from __future__ import annotations

from queue_room import (
    NOW,
    launched,
    take,
    worker,
)
from sqlalchemy import delete

from mailer.store import orphans
from mailer.store.orphans import Orphans
from mailer.store.queue_tables import claim

NONE = Orphans((), ())


def test_x(engine):
    with engine.begin() as tx:
        campaign_id, mine = launched(tx, 6), worker(tx)
        take(tx, campaign_id, mine, 3)
        assert orphans.find(tx, campaign_id) == NONE
        assert orphans.drop_empty_claims(tx, campaign_id) == []
        tx.execute(delete(claim))
        assert orphans.find(tx, campaign_id).waiting == (1, 2, 3)
        assert orphans.take_back(tx, campaign_id, [1, 2, 3, 4], NOW).ids == [1, 2, 3]
        assert orphans.find(tx, campaign_id) == NONE
        assert orphans.watched(tx, NOW)
        assert orphans.find(tx, 0) == NONE
