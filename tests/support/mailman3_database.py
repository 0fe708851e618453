"""Write a database of Mailman 3: the tables and columns of its version 3.3 that say who is on a list."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

SCHEMA = """
CREATE TABLE mailinglist (id INTEGER PRIMARY KEY, list_id VARCHAR, bounce_score_threshold INTEGER);
CREATE TABLE user (id INTEGER PRIMARY KEY, display_name VARCHAR, _preferred_address_id INTEGER, preferences_id INTEGER);
CREATE TABLE address (id INTEGER PRIMARY KEY, email VARCHAR, _original VARCHAR, display_name VARCHAR,
  verified_on TIMESTAMP, registered_on TIMESTAMP, user_id INTEGER, preferences_id INTEGER);
CREATE TABLE preferences (id INTEGER PRIMARY KEY, acknowledge_posts BOOLEAN, hide_address BOOLEAN,
  preferred_language VARCHAR, receive_list_copy BOOLEAN, receive_own_postings BOOLEAN, delivery_mode INTEGER,
  delivery_status INTEGER);
CREATE TABLE member (id INTEGER PRIMARY KEY, _member_id VARCHAR, role INTEGER, list_id VARCHAR,
  moderation_action INTEGER, address_id INTEGER, preferences_id INTEGER, user_id INTEGER, bounce_score INTEGER,
  last_bounce_received TIMESTAMP);
CREATE TABLE ban (id INTEGER PRIMARY KEY, email VARCHAR, list_id VARCHAR);
CREATE TABLE pended (id INTEGER PRIMARY KEY, token VARCHAR, expiration_date TIMESTAMP);
CREATE TABLE pendedkeyvalue (id INTEGER PRIMARY KEY, key VARCHAR, value VARCHAR, pended_id INTEGER);
"""
HARVEST = "harvest.lists.example.org"
ROLES = ("member", "owner", "moderator", "nonmember")
MODES = ("regular", "plaintext_digests", "mime_digests", "summary_digests")
STATUSES = ("enabled", "by_user", "by_bounces", "by_moderator", "unknown")
ACTIONS = ("hold", "reject", "discard", "accept", "defer")


class Mailman3Database:
    """A database to fill; `octets` is its file."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:")
        self.connection.executescript(SCHEMA)
        self.insert("mailinglist", list_id=HARVEST, bounce_score_threshold=5)

    def insert(self, table: str, **values: Any) -> int:
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        cursor = self.connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", [*values.values()])
        return cursor.lastrowid or 0

    def add_preferences(self, mode: str | None = None, status: str | None = None, **values: Any) -> int:
        return self.insert(
            "preferences",
            delivery_mode=MODES.index(mode) + 1 if mode else None,
            delivery_status=STATUSES.index(status) + 1 if status else None,
            **values,
        )

    def add_member(
        self,
        email: str,
        *,
        role: str = "member",
        name: str = "",
        action: str | None = None,
        verified_on: str | None = "2024-05-01 10:00:00.000000",
        list_id: str = HARVEST,
        preferences: int | None = None,
        address_preferences: int | None = None,
        **values: Any,
    ) -> int:
        """Add an address and its membership; `values` are further columns of the membership."""
        address = self.insert(
            "address",
            email=email.lower(),
            _original=None if email.islower() else email,
            display_name=name,
            verified_on=verified_on,
            preferences_id=address_preferences,
        )
        return self.insert(
            "member",
            role=ROLES.index(role) + 1,
            list_id=list_id,
            address_id=address,
            moderation_action=ACTIONS.index(action) if action else None,
            preferences_id=preferences or self.add_preferences(),
            **values,
        )

    def add_request(self, kind: str, pairs: Iterable[tuple[str, object]]) -> None:
        number = self.insert("pended", token=f"token{kind}")
        self.insert("pendedkeyvalue", key="type", value=kind, pended_id=number)
        for key, value in pairs:
            self.insert("pendedkeyvalue", key=key, value=json.dumps(value), pended_id=number)

    @property
    def octets(self) -> bytes:
        self.connection.commit()
        return self.connection.serialize()
