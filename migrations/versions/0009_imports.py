"""Numbered imports that can be undone, digest readers and pauses from other software."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

Hour = sa.DateTime(timezone=True)
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("subscription", sa.Column("delivery_mode", sa.String(16), nullable=True))
    op.add_column("suppression", sa.Column("until", Hour, nullable=True))
    op.add_column("suppression", sa.Column("import_run_id", sa.BigInteger(), nullable=True))
    known = sa.text("until IS NOT NULL")
    op.create_index("ix_suppression_until", "suppression", ["until"], sqlite_where=known, postgresql_where=known)
    op.create_table(
        "import_run",
        sa.Column("id", Id, nullable=False),
        sa.Column("mailing_list_id", Id, nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("started_at", Hour, nullable=False),
        sa.Column("ended_at", Hour, nullable=True),
        sa.Column("undone_at", Hour, nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=True),
        sa.Column("left_behind", sa.JSON(), nullable=True),
        sa.Column("undo_counts", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["mailing_list_id"], ["mailing_list.id"], name=op.f("fk_import_run_mailing_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_import_run_mailing_list_id"), "import_run", ["mailing_list_id"], unique=False)
    op.create_table(
        "import_change",
        sa.Column("run_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "subscriber_id", name=op.f("pk_import_change")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "source_token",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("mailing_list_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subscriber_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "mailing_list_id", name=op.f("pk_source_token")),
    )
    op.create_index(op.f("ix_source_token_subscriber_id"), "source_token", ["subscriber_id"], unique=False)
    _create_earlier_letters()


def _create_earlier_letters() -> None:
    op.create_table(
        "earlier_letter",
        sa.Column("id", Id, nullable=False),
        sa.Column("mailing_list_id", Id, nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("message_id_hash", sa.String(32), nullable=False),
        sa.Column("sent_at", Hour, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_list_id"], ["mailing_list.id"], name=op.f("fk_earlier_letter_mailing_list_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_earlier_letter")),
        sa.UniqueConstraint(
            "mailing_list_id", "message_id_hash", name=op.f("uq_earlier_letter_mailing_list_id_message_id_hash")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_earlier_letter_sent_at", "earlier_letter", ["mailing_list_id", "sent_at", "id"], unique=False)
    op.create_index("ix_earlier_letter_number", "earlier_letter", ["mailing_list_id", "number"], unique=False)
