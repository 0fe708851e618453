"""Bounces and complaints, the bounce limits of a list, and suppressions for several reasons at once."""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'

Hour = sa.DateTime(timezone=True)
Id = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
A_NOTICE = sa.text('campaign_id = 0')


def upgrade() -> None:
    op.add_column('mailing_list', sa.Column('hard_after', sa.Integer(), server_default=sa.text('1'), nullable=False))
    op.add_column('mailing_list', sa.Column('soft_limit', sa.Integer(), server_default=sa.text('3'), nullable=False))
    op.add_column('subscription', sa.Column('probed_at', Hour, nullable=True))
    op.create_index('ix_delivery_notice', 'delivery', ['suppression_key', 'id'],
                    sqlite_where=A_NOTICE, postgresql_where=A_NOTICE)
    with op.batch_alter_table('suppression', recreate='auto') as batch:
        batch.drop_constraint('pk_suppression', type_='primary')
        batch.create_primary_key('pk_suppression', ['suppression_key', 'mailing_list_id', 'reason'])
    op.create_table('returned',
    sa.Column('id', Id, nullable=False),
    sa.Column('delivery_id', sa.BigInteger(), nullable=False),
    sa.Column('campaign_id', sa.BigInteger(), nullable=False),
    sa.Column('letter', sa.String(16), nullable=False),
    sa.Column('mailing_list_id', sa.BigInteger(), nullable=True),
    sa.Column('subscription_id', sa.BigInteger(), nullable=True),
    sa.Column('subscriber_id', sa.BigInteger(), nullable=True),
    sa.Column('domain', sa.Text(), nullable=False),
    sa.Column('kind', sa.String(16), nullable=False),
    sa.Column('weight', sa.String(16), nullable=False),
    sa.Column('reason', sa.String(24), nullable=False),
    sa.Column('status', sa.String(16), nullable=True),
    sa.Column('diagnostic', sa.Text(), nullable=False),
    sa.Column('complaint', sa.String(40), nullable=True),
    sa.Column('way', sa.String(16), nullable=False),
    sa.Column('at', Hour, nullable=False),
    sa.Column('undone_at', Hour, nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_returned')),
    sa.UniqueConstraint('delivery_id', 'kind', 'weight', name=op.f('uq_returned_delivery_id_kind_weight'))
    )
    op.create_index('ix_returned_reader', 'returned', ['subscriber_id', 'at'])
    op.create_index('ix_returned_campaign', 'returned', ['campaign_id'])
