"""The tables of organisers: who they are, their roles, their sessions, and the audit log; migrations end in these."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text, text

from mailer.store.columns import BigInt, UtcDateTime, id_column, metadata

organiser = Table(
    "organiser",
    metadata,
    id_column(),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False, unique=True),
    Column("name", Text),
    Column("language", String(35), nullable=False),
    Column("zone", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # Its ids are in the audit log: none is given twice.
    sqlite_autoincrement=True,
)

organiser_role = Table(
    "organiser_role",
    metadata,
    Column("organiser_id", BigInt, ForeignKey("organiser.id", ondelete="CASCADE"), primary_key=True),
    # 0: the whole site.
    Column("mailing_list_id", BigInt, primary_key=True, autoincrement=False),
    Column("role", String(16), primary_key=True),
    # A translator's; "" for every other role.
    Column("language", String(35), primary_key=True, server_default=text("''")),
)

sign_in = Table(
    "sign_in",
    metadata,
    id_column(),
    # NULL: nobody has that address, and nothing was sent.
    Column("organiser_id", BigInt, ForeignKey("organiser.id", ondelete="CASCADE"), index=True),
    # SHA-256 of the words in the browser's cookie, in the link and in the letter; a link that a command prints has
    # no browser and no code.
    Column("browser_hash", String(64), index=True),
    Column("link_hash", String(64), unique=True),
    Column("code_hash", String(64)),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    # The page of the console that was asked for before.
    Column("next_path", Text),
    # How it began: SignInWay.
    Column("purpose", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("used_at", UtcDateTime),
    # Its ids are in the causes of letters.
    sqlite_autoincrement=True,
)

organiser_session = Table(
    "organiser_session",
    metadata,
    id_column(),
    Column("organiser_id", BigInt, ForeignKey("organiser.id", ondelete="CASCADE"), nullable=False, index=True),
    # SHA-256 of the cookie.
    Column("token_hash", String(64), nullable=False, unique=True),
    # What the browser calls itself, shortened for people: "Firefox on Linux".
    Column("device", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    sqlite_autoincrement=True,
)

audit_line = Table(
    "audit_line",
    metadata,
    id_column(),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("organiser_id", BigInt),
    Column("door", String(16), nullable=False),
    Column("act", String(32), nullable=False),
    # The list it concerns; NULL for the whole site.
    Column("mailing_list_id", BigInt),
    # What was changed, such as "campaign 7" or "subscriber 42": never a reader's address, which erasing must find.
    Column("subject", Text, nullable=False),
    Column("before", JSON),
    Column("after", JSON),
    Index("ix_audit_line_list", "mailing_list_id", "id"),
    # Append-only: migrations add triggers that refuse changing a line.
    sqlite_autoincrement=True,
)
