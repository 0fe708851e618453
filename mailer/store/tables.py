"""The tables, as declared; migrations end in exactly these (a test holds it, on both databases)."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant, kept in UTC; naive values are refused both ways."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite gives row ids only to INTEGER; both are 64 bits wide.
BigInt = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[int]:
    return Column("id", BigInt, primary_key=True)


mailing_list = Table(
    "mailing_list",
    metadata,
    _id(),
    Column("name", String(26), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("language", String(35), nullable=False),
    Column("owner", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

subscriber = Table(
    "subscriber",
    metadata,
    _id(),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False, unique=True),
    Column("mailbox_key", Text, nullable=False, index=True),
    Column("suppression_key", String(64), nullable=False, index=True),
    Column("name", Text),
    Column("language", String(35)),
    Column("zone", Text),
    Column("created_at", UtcDateTime, nullable=False),
)

subscription = Table(
    "subscription",
    metadata,
    _id(),
    Column("mailing_list_id", BigInt, ForeignKey("mailing_list.id"), nullable=False),
    Column("subscriber_id", BigInt, ForeignKey("subscriber.id"), nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("attributes", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("asked_at", UtcDateTime),
    Column("asked_again", Boolean, nullable=False, server_default=false()),
    Column("requested_name", Text),
    Column("requested_language", String(35)),
    UniqueConstraint("mailing_list_id", "subscriber_id"),
    # A launch walks the confirmed subscriptions of one list in the order of their ids.
    Index("ix_subscription_launch", "mailing_list_id", "state", "id"),
)

consent = Table(
    "consent",
    metadata,
    _id(),
    Column("mailing_list_id", BigInt, ForeignKey("mailing_list.id"), nullable=False),
    Column("subscriber_id", BigInt, ForeignKey("subscriber.id"), nullable=False, index=True),
    Column("act", String(16), nullable=False),
    Column("way", String(16), nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

suppression = Table(
    "suppression",
    metadata,
    Column("suppression_key", String(64), primary_key=True),
    # 0: every list. Not NULL, of which a primary key would admit two.
    Column("mailing_list_id", BigInteger, primary_key=True, autoincrement=False),
    Column("reason", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

campaign = Table(
    "campaign",
    metadata,
    _id(),
    Column("mailing_list_id", BigInt, ForeignKey("mailing_list.id"), nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("subject", Text, nullable=False),
    Column("event_starts_at", UtcDateTime),
    Column("local_time", String(32)),
    Column("zone", Text),
    Column("scheduled_at", UtcDateTime),
    Column("launched_at", UtcDateTime),
    Column("launch_cursor", BigInteger, nullable=False, server_default=text("0")),
    Column("launch_ceiling", BigInteger),
    Column("audience", BigInteger, nullable=False, server_default=text("0")),
    Column("remark", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
)

edition = Table(
    "edition",
    metadata,
    _id(),
    Column("campaign_id", BigInt, ForeignKey("campaign.id"), nullable=False),
    Column("language", String(35), nullable=False),
    Column("is_default", Boolean, nullable=False),
    UniqueConstraint("campaign_id", "language"),
)

revision = Table(
    "revision",
    metadata,
    _id(),
    Column("edition_id", BigInt, ForeignKey("edition.id"), nullable=False, index=True),
    Column("manuscript", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

worker = Table(
    "worker",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
)

_WAITING = text("state IN ('queued', 'deferred')")
_NOT_HANDED = text("state IN ('queued', 'deferred', 'claimed')")
_NOT_A_NOTICE = text("campaign_id <> 0")

delivery = Table(
    "delivery",
    metadata,
    _id(),
    # 0 for notices, so that PostgreSQL can partition by it.
    Column("campaign_id", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("mailing_list_id", BigInteger),
    Column("subscriber_id", BigInteger),
    Column("subscription_id", BigInteger),
    Column("revision_id", BigInteger),
    Column("address", Text, nullable=False),
    Column("suppression_key", String(64), nullable=False),
    Column("name", Text),
    Column("language", String(35)),
    Column("values", JSON, nullable=False),
    Column("cause", Text, unique=True),
    Column("state", String(16), nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("queued_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("resends", Integer, nullable=False, server_default=text("0")),
    Column("worker_id", BigInteger),
    Column("dated_at", UtcDateTime),
    Column("answered_at", UtcDateTime),
    Column("code", Integer),
    Column("reply", Text),
    # The queue: what waits in one campaign, or among the notices, by its hour.
    Index("ix_delivery_queue", "campaign_id", "due_at", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
    # Who leaves has what was not handed to them marked at once.
    Index("ix_delivery_leaving", "subscriber_id", sqlite_where=_NOT_HANDED, postgresql_where=_NOT_HANDED),
    Index(
        "uq_delivery_recipient",
        "campaign_id",
        "subscriber_id",
        unique=True,
        sqlite_where=_NOT_A_NOTICE,
        postgresql_where=_NOT_A_NOTICE,
    ),
    # Progress: how many of a campaign are in which state, from the index alone.
    Index("ix_delivery_state", "campaign_id", "state"),
)

incoming = Table(
    "incoming",
    metadata,
    _id(),
    Column("sender", Text, nullable=False),
    Column("recipients", JSON, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("received_at", UtcDateTime, nullable=False),
    Column("acted_at", UtcDateTime),
    Index(
        "ix_incoming_waiting",
        "id",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
)
