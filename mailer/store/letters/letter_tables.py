"""The tables of pictures, attachments, organisers' templates and Webmentions; migrations end in exactly these."""

from __future__ import annotations

from sqlalchemy import (
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

_IS_CURRENT = text("is_current")

media = Table(
    "media",
    metadata,
    # In hexadecimal: SHA-256 of a picture's content, and of an attachment's shown name and content.
    Column("digest", String(64), primary_key=True),
    # The file name in its path, and the one that readers of an attachment see.
    Column("name", Text, nullable=False),
    Column("shown_name", Text, nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("size", Integer, nullable=False),
    # Of pictures, in pixels.
    Column("width", Integer),
    Column("height", Integer),
    Column("added_at", UtcDateTime, nullable=False),
    Column("added_by", Text, nullable=False),
    # When it was last found to be named somewhere: purging looks again after some weeks.
    Column("checked_at", UtcDateTime, nullable=False),
    # The last column, since SQLite reads a row up to the last column that is asked for.
    Column("content", LargeBinary, nullable=False),
    Index("ix_media_checked_at", "checked_at"),
)

letter_template = Table(
    "letter_template",
    metadata,
    id_column(),
    Column("name", String(40), nullable=False),
    # As it was handed in, and the HTML with Jinja2 that was made of it; rows never change but for is_current.
    Column("source", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Column("added_by", Text, nullable=False),
    # False for what was replaced or removed: revisions may still name it.
    Column("is_current", Boolean, nullable=False, server_default=false()),
    Index(
        "uq_letter_template_current",
        "name",
        unique=True,
        sqlite_where=_IS_CURRENT,
        postgresql_where=_IS_CURRENT,
    ),
    sqlite_autoincrement=True,
)

webmention = Table(
    "webmention",
    metadata,
    id_column(),
    Column("campaign_id", BigInt, ForeignKey("campaign.id"), nullable=False, index=True),
    Column("source", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("title", Text),
    Column("state", String(16), nullable=False, index=True),
    Column("received_at", UtcDateTime, nullable=False),
    Column("verified_at", UtcDateTime),
    # When its source is to be looked at; NULL where it was.
    Column("due_at", UtcDateTime, index=True),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("decided_by", Text),
    UniqueConstraint("source", "target"),
)

earlier_letter = Table(
    "earlier_letter",
    metadata,
    id_column(),
    Column("mailing_list_id", BigInt, ForeignKey("mailing_list.id"), nullable=False),
    Column("message_id", Text, nullable=False),
    # SHA-1 in base 32, as archivers write it into addresses.
    Column("message_id_hash", String(32), nullable=False),
    Column("sent_at", UtcDateTime, nullable=False),
    Column("subject", Text, nullable=False),
    Column("author", Text),
    # Its place in the archive that it comes from.
    Column("number", Integer),
    Column("text", Text, nullable=False),
    UniqueConstraint("mailing_list_id", "message_id_hash"),
    Index("ix_earlier_letter_sent_at", "mailing_list_id", "sent_at", "id"),
    Index("ix_earlier_letter_number", "mailing_list_id", "number"),
    # Its ids are in addresses of pages.
    sqlite_autoincrement=True,
)
