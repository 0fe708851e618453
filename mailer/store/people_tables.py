"""The tables of people and of incoming mail; migrations end in exactly these."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from mailer.store.columns import BigInt, UtcDateTime, id_column, metadata

mailing_list = Table(
    "mailing_list",
    metadata,
    id_column(),
    Column("name", String(26), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("language", String(35), nullable=False),
    Column("owner", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("quiet_until", UtcDateTime),
    # How many hard bounces in a row, and how many points of soft ones, suppress an address.
    Column("hard_after", Integer, nullable=False, server_default=text("1")),
    Column("soft_limit", Integer, nullable=False, server_default=text("3")),
    # The footer of campaigns' letters.
    Column("postal_address", Text),
    Column("reason", Text),
    # Where hours of this list are meant, as Europe/Berlin.
    Column("zone", Text, nullable=False, server_default=text("'UTC'")),
    # Addresses that test letters go to.
    Column("testers", JSON),
    # Whether a second organiser must approve a campaign before it is scheduled.
    Column("needs_approval", Boolean, nullable=False, server_default=false()),
    # What its letters look like: a colour as #1b6b59, and the path of a picture.
    Column("accent_color", String(7)),
    Column("logo", Text),
    # Who may read its letters on the web; NULL: the owner has not chosen yet, and nobody may.
    Column("archive", String(16)),
    # Conditions on readers by name, for use in letters.
    Column("segments", JSON),
)

subscriber = Table(
    "subscriber",
    metadata,
    id_column(),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False, unique=True),
    Column("mailbox_key", Text, nullable=False, index=True),
    Column("suppression_key", String(64), nullable=False, index=True),
    Column("name", Text),
    Column("language", String(35)),
    Column("zone", Text),
    Column("created_at", UtcDateTime, nullable=False),
    # People are found by how their names begin.
    Index(
        "ix_subscriber_name",
        "name",
        sqlite_where=text("name IS NOT NULL"),
        postgresql_where=text("name IS NOT NULL"),
        postgresql_ops={"name": "text_pattern_ops"},
    ),
)
# And by how their addresses begin: the unique index does for it on SQLite, but not in each collation of PostgreSQL.
Index(
    "ix_subscriber_address_prefix",
    subscriber.c.address_key,
    postgresql_ops={"address_key": "text_pattern_ops"},
).ddl_if(dialect="postgresql")

subscription = Table(
    "subscription",
    metadata,
    id_column(),
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
    # Requested while another confirmation letter to the same mailbox was unanswered; the letter follows its answer.
    Column("held_at", UtcDateTime),
    # When the last probe was sent.
    Column("probed_at", UtcDateTime),
    # The kind of digest that the person chose elsewhere; NULL: each letter. Each letter is sent in any case.
    Column("delivery_mode", String(16)),
    UniqueConstraint("mailing_list_id", "subscriber_id"),
    # A launch walks the confirmed subscriptions of one list in the order of their ids.
    Index("ix_subscription_launch", "mailing_list_id", "state", "id"),
    # Its ids are in tokens: SQLite must not give one to somebody else, even after a restore.
    sqlite_autoincrement=True,
)

consent = Table(
    "consent",
    metadata,
    id_column(),
    Column("mailing_list_id", BigInt, ForeignKey("mailing_list.id"), nullable=False),
    Column("subscriber_id", BigInt, ForeignKey("subscriber.id"), nullable=False, index=True),
    Column("act", String(16), nullable=False),
    Column("way", String(16), nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_consent_at", "mailing_list_id", "at"),
)

suppression = Table(
    "suppression",
    metadata,
    Column("suppression_key", String(64), primary_key=True),
    # 0: every list. Not NULL, of which a primary key would admit two.
    Column("mailing_list_id", BigInteger, primary_key=True, autoincrement=False),
    # One row for each reason: who unsubscribed stays suppressed when a bounce is undone.
    Column("reason", String(16), primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    # When a pause ends; NULL: nobody knows.
    Column("until", UtcDateTime),
    # The import that alone caused it, and whose undo lifts it; NULL: somebody else did, too.
    Column("import_run_id", BigInteger),
    Index(
        "ix_suppression_until",
        "until",
        sqlite_where=text("until IS NOT NULL"),
        postgresql_where=text("until IS NOT NULL"),
    ),
)

returned = Table(
    "returned",
    metadata,
    id_column(),
    Column("delivery_id", BigInteger, nullable=False),
    # 0: a notice.
    Column("campaign_id", BigInteger, nullable=False),
    Column("letter", String(16), nullable=False),
    Column("mailing_list_id", BigInteger),
    Column("subscription_id", BigInteger),
    Column("subscriber_id", BigInteger),
    # Of the reader's address.
    Column("domain", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("weight", String(16), nullable=False),
    Column("reason", String(24), nullable=False),
    Column("status", String(16)),
    Column("diagnostic", Text, nullable=False),
    Column("complaint", String(40)),
    Column("way", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("undone_at", UtcDateTime),
    # One row, however often and over however many channels the same is reported.
    UniqueConstraint("delivery_id", "kind", "weight"),
    Index("ix_returned_reader", "subscriber_id", "at"),
    Index("ix_returned_campaign", "campaign_id"),
)

tally = Table(
    "tally",
    metadata,
    # What is counted, and of whom: a mailbox, a source, a domain, a list.
    Column("kind", String(16), primary_key=True),
    Column("of", Text, primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("count", Integer, nullable=False),
)

incoming = Table(
    "incoming",
    metadata,
    id_column(),
    Column("sender", Text, nullable=False),
    Column("recipients", JSON, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("received_at", UtcDateTime, nullable=False),
    Column("acted_at", UtcDateTime),
    Column("spooled", Text),
    # The same for a second delivery of the same mail.
    Column("digest", String(64), unique=True),
    # The SMTP client; deleted once the mail is processed.
    Column("client", Text),
    Column("helo", Text),
    # The IMAP mailbox it was found in, if so.
    Column("mailbox", Text),
    # The fields of a web form, where it is no mail.
    Column("request", JSON, nullable=False),
    Index(
        "ix_incoming_waiting",
        "id",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    # Pages ask each minute whether there are any.
    Index(
        "ix_incoming_parked",
        "id",
        sqlite_where=text("state = 'parked'"),
        postgresql_where=text("state = 'parked'"),
    ),
)

mailbox = Table(
    "mailbox",
    metadata,
    Column("name", Text, primary_key=True),
    # UIDVALIDITY, and the highest UID that was processed (RFC 9051).
    Column("uid_validity", BigInteger, nullable=False),
    Column("last_uid", BigInteger, nullable=False),
)
