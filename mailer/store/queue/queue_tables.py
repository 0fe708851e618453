"""The tables of campaigns and of the queue; migrations end in exactly these."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from mailer.store.columns import BigInt, UtcDateTime, id_column, metadata

_HAS_DUE_AT, _IS_NOT_NOTICE, _HAS_CAUSE = (
    text("due_at IS NOT NULL"),
    text("campaign_id <> 0"),
    text("cause IS NOT NULL"),
)
_IS_NOTICE = text("campaign_id = 0")

campaign = Table(
    "campaign",
    metadata,
    id_column(),
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
    # The last subscription whose delivery was claimed in order; before it only deliveries with a due time wait.
    Column("claim_cursor", BigInteger, nullable=False, server_default=text("0")),
    Column("corrections", Integer, nullable=False, server_default=text("0")),
    Column("when_uncertain", String(8), nullable=False, server_default=text("'resend'")),
    Column("over_s", Integer),
    # Whether it is sent although the settings still hold samples.
    Column("anyway", Boolean, nullable=False, server_default=false()),
    Column("remark", Text),
    # When it was last paused, or returned to draft by the service.
    Column("stopped_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    # Whether its letter is in the archive; NULL: as the list has it.
    Column("archived", Boolean),
    # Only readers of these editions get it, as a list of language tags; NULL: readers of all.
    Column("languages", JSON),
    # Whoever has a letter of this campaign gets none; NULL: everybody does.
    Column("not_mailed_by", BigInteger),
    # Why it was scheduled although a check before the launch was against it.
    Column("anyway_reason", Text),
    # The campaign whose letter in our archive it answers.
    Column("answers_id", BigInteger, index=True),
    # When it passed the check at its launch; before that, or if it never did, resuming launches it again.
    Column("checked_at", UtcDateTime),
)

edition = Table(
    "edition",
    metadata,
    id_column(),
    Column("campaign_id", BigInt, ForeignKey("campaign.id"), nullable=False),
    Column("language", String(35), nullable=False),
    Column("is_default", Boolean, nullable=False),
    UniqueConstraint("campaign_id", "language"),
)

revision = Table(
    "revision",
    metadata,
    id_column(),
    Column("edition_id", BigInt, ForeignKey("edition.id"), nullable=False, index=True),
    Column("manuscript", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # The list's footer when the campaign was launched: a repeat has the same.
    Column("postal_address", Text),
    Column("reason", Text),
    # Made for test letters or an approval: the campaign's letters do not have this text.
    Column("is_trial", Boolean, nullable=False, server_default=false()),
    # What the list's letters looked like then, as `freeze_design` writes it.
    Column("design", JSON),
)

worker = Table(
    "worker",
    metadata,
    id_column(),
    Column("name", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("lease_until", UtcDateTime, nullable=False),
    # Else SQLite gives a deleted worker's id to the next one.
    sqlite_autoincrement=True,
)

claim = Table(
    "claim",
    metadata,
    id_column(),
    Column("campaign_id", BigInteger, nullable=False, index=True),
    Column("worker_id", BigInteger, nullable=False, index=True),
    # The deliveries taken, as a list of ids, so that a dead worker's are found without a scan of the queue.
    Column("deliveries", JSON, nullable=False),
    sqlite_autoincrement=True,
)

delivery = Table(
    "delivery",
    metadata,
    id_column(),
    # 0 for notices, so that PostgreSQL can partition by it.
    Column("campaign_id", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("mailing_list_id", BigInteger),
    Column("subscriber_id", BigInteger),
    Column("subscription_id", BigInteger),
    # Notices only: a campaign's recipients are in the subscriber table.
    Column("address", Text),
    Column("suppression_key", String(64)),
    Column("cause", Text),
    # Set for a notice; for a campaign kept from the first handing on, so that a repeat has the same octets.
    Column("revision_id", BigInteger),
    Column("language", String(35)),
    Column("values", JSON),
    Column("state", String(16), nullable=False),
    # Waits until then. NULL where it waits in order, is claimed, handed or settled.
    Column("due_at", UtcDateTime),
    Column("queued_at", UtcDateTime),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("resends", Integer, nullable=False, server_default=text("0")),
    # The claim under which it is claimed or handed; NULL where it is claimed for the first time, in order.
    Column("claim_id", BigInteger),
    Column("dated_at", UtcDateTime),
    Column("answered_at", UtcDateTime),
    Column("code", Integer),
    Column("reply", Text),
    # No index has the state, so that a state change updates the row and no index.
    Index("ix_delivery_due", "campaign_id", "due_at", "id", sqlite_where=_HAS_DUE_AT, postgresql_where=_HAS_DUE_AT),
    Index(
        "uq_delivery_recipient",
        "campaign_id",
        "subscription_id",
        unique=True,
        sqlite_where=_IS_NOT_NOTICE,
        postgresql_where=_IS_NOT_NOTICE,
    ),
    Index("uq_delivery_cause", "cause", unique=True, sqlite_where=_HAS_CAUSE, postgresql_where=_HAS_CAUSE),
    Index("ix_delivery_notice", "suppression_key", "id", sqlite_where=_IS_NOTICE, postgresql_where=_IS_NOTICE),
    # Its ids are in tokens: see the table subscription.
    sqlite_autoincrement=True,
    # Room on each page for updated rows (heap-only updates).
    postgresql_with={"fillfactor": 50},
)

hold = Table(
    "hold",
    metadata,
    # A destination domain, or "relay host:port".
    Column("lane", Text, primary_key=True),
    Column("until", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
)

budget = Table(
    "budget",
    metadata,
    # What is limited ("relay host:port", a domain, "campaign 7"), and in which span of seconds.
    Column("spender", Text, primary_key=True),
    Column("span_s", Integer, primary_key=True, autoincrement=False),
    # The first moment that is not spent yet; of hours and days, when this one began.
    Column("at", UtcDateTime, nullable=False),
    Column("spent", Integer, nullable=False, server_default=text("0")),
)
