"""The tables of numbered imports; migrations end in exactly these."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, String, Table, Text

from mailer.store.columns import BigInt, UtcDateTime, id_column, metadata

import_run = Table(
    "import_run",
    metadata,
    id_column(),
    Column("mailing_list_id", BigInt, ForeignKey("mailing_list.id"), nullable=False, index=True),
    # The name of a product, as `mailchimp`.
    Column("source", String(20), nullable=False),
    Column("file_name", Text, nullable=False),
    # Of all files' content, in hexadecimal.
    Column("sha256", String(64), nullable=False),
    Column("started_by", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    # NULL while it runs, and for one that was broken off.
    Column("ended_at", UtcDateTime),
    Column("undone_at", UtcDateTime),
    Column("undone_by", Text),
    # How many people became what, and what was left behind, as texts for people.
    Column("counts", JSON),
    Column("left_behind", JSON),
    # How many people an undo has taken back, and kept, so far.
    Column("undo_counts", JSON),
    # The numbers of runs are told to people: none is given twice.
    sqlite_autoincrement=True,
)

import_change = Table(
    "import_change",
    metadata,
    Column("run_id", BigInteger, primary_key=True, autoincrement=False),
    Column("subscriber_id", BigInteger, primary_key=True, autoincrement=False),
    # What stood before; null for a person who was not known at all. Else PersonValues: name, language and zone, and
    # state (null: none), attributes, delivery_mode and changed_at (ISO 8601) of the subscription to the run's list.
    # The suppressions that a run caused are those with its number in the table suppression.
    Column("before", JSON),
    # A fingerprint of what stood right after: who has another one was changed since.
    Column("after", BigInteger, nullable=False),
    # Rows are written in the order of the key.
    sqlite_with_rowid=False,
)

source_token = Table(
    "source_token",
    metadata,
    # Of the token by which other software names its reader in links: SHA-256, in hexadecimal.
    Column("digest", String(64), primary_key=True),
    Column("mailing_list_id", BigInteger, primary_key=True, autoincrement=False),
    Column("subscriber_id", BigInteger, nullable=False, index=True),
)
