"""The tables of numbers that pages show without counting rows; migrations end in exactly these."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Integer, String, Table, text

from mailer.store.columns import BigInt, UtcDateTime, metadata

campaign_count = Table(
    "campaign_count",
    metadata,
    Column("campaign_id", BigInt, primary_key=True, autoincrement=False),
    # A state of deliveries, all but queued and handed: those follow from the audience and the claims.
    Column("state", String(16), primary_key=True),
    # On PostgreSQL the database session that counted, so that sessions do not wait for each other; else 0.
    Column("shard", BigInteger, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
)

list_day = Table(
    "list_day",
    metadata,
    Column("mailing_list_id", BigInt, primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),
    Column("joined", Integer, nullable=False, server_default=text("0")),
    Column("left", Integer, nullable=False, server_default=text("0")),
)

audience_count = Table(
    "audience_count",
    metadata,
    Column("mailing_list_id", BigInt, primary_key=True, autoincrement=False),
    # What these people are for a launch now, such as confirmed, pending, suppressed.
    Column("state", String(16), primary_key=True),
    # "" where it is not known.
    Column("language", String(35), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("counted_at", UtcDateTime, nullable=False),
)
