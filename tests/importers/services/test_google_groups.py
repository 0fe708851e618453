"""Google Groups' members."""

from __future__ import annotations

import pytest

from mailer.domain.subscription import DeliveryMode
from mailer.importers.person_row import ListRole
from mailer.importers.services.google_words import BOUNCING, PREFERENCES, STATUSES
from tests.support.export_files import is_mailable
from tests.support.recognized_exports import read_people, read_rows, standing
from tests.support.service_exports import GOOGLE

HEADING = "Email address,Nickname,Group status,Email status,Email preference,Posting permissions\n"


def test_statuses_preferences_and_roles() -> None:
    people = read_people({"harvest.csv": GOOGLE})

    assert {address.partition("@")[0]: standing(person) for address, person in people.items()} == {
        "ida": "confirmed",
        "paul": "confirmed",
        "bo": "confirmed bounced",
        "off": "confirmed paused",
        "asked": "none",
        "waits": "pending",
        "troll": "none banned",
    }
    paul, bo, ida = (people[f"{who}@example.org"] for who in ("paul", "bo", "ida"))
    assert (paul.role, paul.delivery_mode, paul.preferences) == (
        ListRole.MODERATOR,
        DeliveryMode.DIGEST_MIME,
        {"may_post": False},
    )
    assert (bo.role, bo.delivery_mode) == (ListRole.OWNER, DeliveryMode.DIGEST_MIME)
    assert ida.agreed_at is not None
    assert ida.agreed_at.isoformat() == "2019-03-04T00:00:00+00:00"


@pytest.mark.parametrize("row", ["ida@example.org,,member,,Digest,Allowed", "ida@example.org,,MEMBER,,Each Email,"])
def test_the_layout_without_a_first_line(row: str) -> None:
    assert is_mailable(read_people({"harvest.csv": HEADING + row})["ida@example.org"])


@pytest.mark.parametrize(
    "cells", ["guest,,All email", ",,All email", "member,Hard of hearing,All email", "member,,Now and then"]
)
def test_words_that_are_not_known_are_bad_rows(cells: str) -> None:
    people, bad = read_rows({"harvest.csv": f"{HEADING}ida@example.org,,{cells},Allowed\n"})

    assert (people, len(bad)) == ({}, 1)


@pytest.mark.parametrize(
    ("status", "preference", "expected"),
    [("Mitglied", "Jede E-Mail", "confirmed"), ("Üye", "E-posta yok", "confirmed paused"), ("已邀请", "摘要", "none")],
)
def test_words_in_other_languages(status: str, preference: str, expected: str) -> None:
    people = read_people({"harvest.csv": f"{HEADING}ida@example.org,,{status},,{preference},\n"})

    assert standing(people["ida@example.org"]) == expected


def test_words_can_be_found() -> None:
    for words in (STATUSES, PREFERENCES, BOUNCING):
        assert all(word == word.casefold() for word in words)
