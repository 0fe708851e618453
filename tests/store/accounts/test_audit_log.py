"""The audit log."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, insert, text
from sqlalchemy.exc import DBAPIError

from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.audit import Act
from mailer.errors import NotFound
from mailer.store.accounts import audit_log
from mailer.store.accounts.organiser_tables import audit_line
from tests.support.app_helpers import ADMIN

NOW = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
ADA = Actor(name="ada@example.org", door=Door.CONSOLE, grants=(), organiser_id=7)


def test_a_line_says_who_did_what_and_what_was_before_and_after(engine: Engine) -> None:
    with engine.begin() as tx:
        audit_log.record(
            tx,
            ADA,
            Act.PAUSE_CAMPAIGN,
            subject="campaign 3",
            mailing_list_id=2,
            before={"state": "sending"},
            after={"state": "paused"},
            now=NOW,
        )
        (line,) = audit_log.list_page(tx).items

    assert (line.at, line.actor, line.organiser_id, line.door) == (NOW, "ada@example.org", 7, "console")
    assert (line.act, line.subject, line.mailing_list_id) == ("pause campaign", "campaign 3", 2)
    assert (line.before, line.after) == ({"state": "sending"}, {"state": "paused"})


def test_what_has_no_before_and_no_after_has_null_there(engine: Engine) -> None:
    with engine.begin() as tx:
        audit_log.record(tx, ADMIN, Act.BACK_UP, subject="the site", now=NOW)
        (line,) = audit_log.list_page(tx).items
        nulls = tx.execute(text('SELECT count(*) FROM audit_line WHERE "before" IS NULL AND "after" IS NULL')).scalar()

    assert (line.before, line.after, line.organiser_id, nulls) == (None, None, None, 1)


def test_pages_are_newest_first_of_everything_or_of_one_list(engine: Engine) -> None:
    with engine.begin() as tx:
        for number in range(5):
            audit_log.record(
                tx, ADMIN, Act.ADD_CAMPAIGN, subject=f"campaign {number}", mailing_list_id=number % 2 + 1, now=NOW
            )
        first = audit_log.list_page(tx, limit=3)
        last = audit_log.list_page(tx, first.next_cursor or "", limit=3)
        second_list = audit_log.list_page(tx, mailing_list_id=2)

    assert [one.subject for one in (*first.items, *last.items)] == [f"campaign {number}" for number in (4, 3, 2, 1, 0)]
    assert last.next_cursor is None
    assert [one.subject for one in second_list.items] == ["campaign 3", "campaign 1"]


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "9" * 30, "١"])
def test_a_cursor_that_no_page_gave_finds_nothing(engine: Engine, cursor: str) -> None:
    with engine.begin() as tx, pytest.raises(NotFound):
        audit_log.list_page(tx, cursor)


def test_the_database_refuses_to_change_a_line(engine: Engine) -> None:
    with engine.begin() as tx:
        audit_log.record(tx, ADMIN, Act.BACK_UP, subject="the site", now=NOW)

    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as tx:
        tx.execute(audit_line.update().values(actor="mallory"))

    with engine.begin() as tx:
        assert [one.actor for one in audit_log.list_page(tx).items] == [ADMIN.name]


def test_an_act_of_a_later_version_is_shown_as_it_is_written(engine: Engine) -> None:
    with engine.begin() as tx:
        tx.execute(
            insert(audit_line).values(at=NOW, actor="ada@example.org", door="api", act="fold paper", subject="letter 1")
        )

        assert audit_log.list_page(tx).items[0].act == "fold paper"
