"""Pictures and attachments, organisers' templates, what a list's letters look like, the archive and Webmentions."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

Hour = sa.DateTime(timezone=True)
Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("mailing_list", sa.Column("accent_color", sa.String(7), nullable=True))
    op.add_column("mailing_list", sa.Column("logo", sa.Text(), nullable=True))
    op.add_column("mailing_list", sa.Column("archive", sa.String(16), nullable=True))
    op.add_column("mailing_list", sa.Column("segments", sa.JSON(), nullable=True))
    op.add_column("campaign", sa.Column("archived", sa.Boolean(), nullable=True))
    op.add_column("campaign", sa.Column("languages", sa.JSON(), nullable=True))
    op.add_column("campaign", sa.Column("not_mailed_by", sa.BigInteger(), nullable=True))
    op.add_column("campaign", sa.Column("anyway_reason", sa.Text(), nullable=True))
    op.add_column("campaign", sa.Column("checked_at", Hour, nullable=True))
    op.add_column("campaign", sa.Column("answers_id", sa.BigInteger(), nullable=True))
    op.create_index("ix_campaign_answers_id", "campaign", ["answers_id"], unique=False)
    op.add_column("revision", sa.Column("design", sa.JSON(), nullable=True))
    op.add_column("approval", sa.Column("language", sa.String(35), nullable=True))
    _create_media()
    _create_letter_templates()
    _create_webmentions()


def _create_media() -> None:
    op.create_table(
        "media",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("shown_name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("added_at", Hour, nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("checked_at", Hour, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_media")),
    )
    op.create_index("ix_media_checked_at", "media", ["checked_at"], unique=False)


def _create_letter_templates() -> None:
    op.create_table(
        "letter_template",
        sa.Column("id", Id, nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("added_at", Hour, nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("is_current", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_template")),
        sqlite_autoincrement=True,
    )
    current = sa.text("is_current")
    op.create_index(
        "uq_letter_template_current",
        "letter_template",
        ["name"],
        unique=True,
        sqlite_where=current,
        postgresql_where=current,
    )


def _create_webmentions() -> None:
    op.create_table(
        "webmention",
        sa.Column("id", Id, nullable=False),
        sa.Column("campaign_id", Id, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("received_at", Hour, nullable=False),
        sa.Column("verified_at", Hour, nullable=True),
        sa.Column("due_at", Hour, nullable=True),
        sa.Column("tries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_webmention_campaign_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webmention")),
        sa.UniqueConstraint("source", "target", name=op.f("uq_webmention_source_target")),
    )
    op.create_index(op.f("ix_webmention_campaign_id"), "webmention", ["campaign_id"], unique=False)
    op.create_index(op.f("ix_webmention_state"), "webmention", ["state"], unique=False)
    op.create_index(op.f("ix_webmention_due_at"), "webmention", ["due_at"], unique=False)
