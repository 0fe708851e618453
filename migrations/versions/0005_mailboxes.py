"""Positions in IMAP mailboxes, and the mailbox that an incoming mail was found in."""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    op.create_table('mailbox',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('uid_validity', sa.BigInteger(), nullable=False),
    sa.Column('last_uid', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_mailbox'))
    )
    op.add_column('incoming', sa.Column('mailbox', sa.Text(), nullable=True))
