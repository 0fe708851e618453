"""The tables of texts while they are written: drafts, versions, tests, approvals; migrations end in exactly these."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table, Text, UniqueConstraint, false

from mailer.store.columns import BigInt, UtcDateTime, id_column, metadata

draft = Table(
    "draft",
    metadata,
    Column("edition_id", BigInt, ForeignKey("edition.id"), primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("manuscript", Text, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", Text, nullable=False),
    # SHA-256 of the default edition's text that this one was last translated from; NULL for the default edition.
    Column("source_digest", String(64)),
)

draft_version = Table(
    "draft_version",
    metadata,
    id_column(),
    Column("edition_id", BigInt, ForeignKey("edition.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("manuscript", Text, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", Text, nullable=False),
    # Whether it never was the edition's text: somebody else had saved before it.
    Column("is_aside", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("edition_id", "version"),
)

approval = Table(
    "approval",
    metadata,
    id_column(),
    Column("campaign_id", BigInt, ForeignKey("campaign.id"), nullable=False, index=True),
    Column("organiser_id", BigInt),
    Column("approved_by", Text, nullable=False),
    # SHA-256 of all editions' texts: an approval is of these words only.
    Column("digest", String(64), nullable=False),
    # The edition that was approved by itself; the digest is then of its text alone. NULL: all of them.
    Column("language", String(35)),
    Column("at", UtcDateTime, nullable=False),
)

test_letter = Table(
    "test_letter",
    metadata,
    id_column(),
    Column("campaign_id", BigInt, ForeignKey("campaign.id"), nullable=False, index=True),
    Column("language", String(35), nullable=False),
    # What became of it is in its delivery, as long as that is kept.
    Column("delivery_id", BigInt, nullable=False),
    Column("revision_id", BigInt, nullable=False),
    Column("sent_by", Text, nullable=False),
    Column("sent_at", UtcDateTime, nullable=False),
)
