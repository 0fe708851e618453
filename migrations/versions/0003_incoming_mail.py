"""The client of an incoming mail, counters of requests, and deferred requests."""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'

Hour = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column('mailing_list', sa.Column('quiet_until', Hour, nullable=True))
    op.add_column('subscription', sa.Column('held_at', Hour, nullable=True))
    op.create_index('ix_consent_at', 'consent', ['mailing_list_id', 'at'])
    with op.batch_alter_table('incoming') as batch:
        batch.add_column(sa.Column('spooled', sa.Text(), nullable=True))
        batch.add_column(sa.Column('digest', sa.String(64), nullable=True))
        batch.add_column(sa.Column('client', sa.Text(), nullable=True))
        batch.add_column(sa.Column('helo', sa.Text(), nullable=True))
        batch.add_column(sa.Column('request', sa.JSON(), server_default=sa.text("'{}'"), nullable=False))
        batch.create_unique_constraint('uq_incoming_digest', ['digest'])
    with op.batch_alter_table('incoming') as batch:
        batch.alter_column('request', existing_type=sa.JSON(), existing_nullable=False, server_default=None)
    op.create_table('tally',
    sa.Column('kind', sa.String(16), nullable=False),
    sa.Column('of', sa.Text(), nullable=False),
    sa.Column('since', Hour, nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('kind', 'of', name=op.f('pk_tally'))
    )
    # IP addresses are not kept as evidence any more.
    if op.get_bind().dialect.name == "postgresql":
        op.execute("UPDATE consent SET evidence = (evidence::jsonb - 'client')::json")
    else:
        op.execute("UPDATE consent SET evidence = json_remove(evidence, '$.client')")
