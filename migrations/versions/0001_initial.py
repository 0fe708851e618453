"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table('delivery',
    sa.Column('id', Id, nullable=False),
    sa.Column('campaign_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('mailing_list_id', sa.BigInteger(), nullable=True),
    sa.Column('subscriber_id', sa.BigInteger(), nullable=True),
    sa.Column('subscription_id', sa.BigInteger(), nullable=True),
    sa.Column('revision_id', sa.BigInteger(), nullable=True),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('suppression_key', sa.String(length=64), nullable=False),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('language', sa.String(length=35), nullable=True),
    sa.Column('values', sa.JSON(), nullable=False),
    sa.Column('cause', sa.Text(), nullable=True),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('queued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('attempts', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('resends', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('worker_id', sa.BigInteger(), nullable=True),
    sa.Column('dated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('code', sa.Integer(), nullable=True),
    sa.Column('reply', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delivery')),
    sa.UniqueConstraint('cause', name=op.f('uq_delivery_cause'))
    )
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.create_index('ix_delivery_leaving', ['subscriber_id'], unique=False, sqlite_where=sa.text("state IN ('queued', 'deferred', 'claimed')"), postgresql_where=sa.text("state IN ('queued', 'deferred', 'claimed')"))
        batch_op.create_index('ix_delivery_queue', ['campaign_id', 'due_at', 'id'], unique=False, sqlite_where=sa.text("state IN ('queued', 'deferred')"), postgresql_where=sa.text("state IN ('queued', 'deferred')"))
        batch_op.create_index('ix_delivery_state', ['campaign_id', 'state'], unique=False)
        batch_op.create_index('uq_delivery_recipient', ['campaign_id', 'subscriber_id'], unique=True, sqlite_where=sa.text('campaign_id <> 0'), postgresql_where=sa.text('campaign_id <> 0'))

    op.create_table('incoming',
    sa.Column('id', Id, nullable=False),
    sa.Column('sender', sa.Text(), nullable=False),
    sa.Column('recipients', sa.JSON(), nullable=False),
    sa.Column('raw', sa.LargeBinary(), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('tries', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('acted_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_incoming'))
    )
    with op.batch_alter_table('incoming', schema=None) as batch_op:
        batch_op.create_index('ix_incoming_waiting', ['id'], unique=False, sqlite_where=sa.text("state = 'waiting'"), postgresql_where=sa.text("state = 'waiting'"))

    op.create_table('mailing_list',
    sa.Column('id', Id, nullable=False),
    sa.Column('name', sa.String(length=26), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('language', sa.String(length=35), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mailing_list')),
    sa.UniqueConstraint('name', name=op.f('uq_mailing_list_name'))
    )
    op.create_table('subscriber',
    sa.Column('id', Id, nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('address_key', sa.Text(), nullable=False),
    sa.Column('mailbox_key', sa.Text(), nullable=False),
    sa.Column('suppression_key', sa.String(length=64), nullable=False),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('language', sa.String(length=35), nullable=True),
    sa.Column('zone', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subscriber')),
    sa.UniqueConstraint('address_key', name=op.f('uq_subscriber_address_key'))
    )
    with op.batch_alter_table('subscriber', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_subscriber_mailbox_key'), ['mailbox_key'], unique=False)
        batch_op.create_index(batch_op.f('ix_subscriber_suppression_key'), ['suppression_key'], unique=False)

    op.create_table('suppression',
    sa.Column('suppression_key', sa.String(length=64), nullable=False),
    sa.Column('mailing_list_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('reason', sa.String(length=16), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('suppression_key', 'mailing_list_id', name=op.f('pk_suppression'))
    )
    op.create_table('worker',
    sa.Column('id', Id, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_worker'))
    )
    op.create_table('campaign',
    sa.Column('id', Id, nullable=False),
    sa.Column('mailing_list_id', Id, nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('event_starts_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('local_time', sa.String(length=32), nullable=True),
    sa.Column('zone', sa.Text(), nullable=True),
    sa.Column('scheduled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('launched_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('launch_cursor', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('launch_ceiling', sa.BigInteger(), nullable=True),
    sa.Column('audience', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('remark', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['mailing_list_id'], ['mailing_list.id'], name=op.f('fk_campaign_mailing_list_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_campaign'))
    )
    with op.batch_alter_table('campaign', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_campaign_state'), ['state'], unique=False)

    op.create_table('consent',
    sa.Column('id', Id, nullable=False),
    sa.Column('mailing_list_id', Id, nullable=False),
    sa.Column('subscriber_id', Id, nullable=False),
    sa.Column('act', sa.String(length=16), nullable=False),
    sa.Column('way', sa.String(length=16), nullable=False),
    sa.Column('evidence', sa.JSON(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['mailing_list_id'], ['mailing_list.id'], name=op.f('fk_consent_mailing_list_id')),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscriber.id'], name=op.f('fk_consent_subscriber_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_consent'))
    )
    with op.batch_alter_table('consent', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_consent_subscriber_id'), ['subscriber_id'], unique=False)

    op.create_table('subscription',
    sa.Column('id', Id, nullable=False),
    sa.Column('mailing_list_id', Id, nullable=False),
    sa.Column('subscriber_id', Id, nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('attributes', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('asked_again', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('requested_name', sa.Text(), nullable=True),
    sa.Column('requested_language', sa.String(length=35), nullable=True),
    sa.ForeignKeyConstraint(['mailing_list_id'], ['mailing_list.id'], name=op.f('fk_subscription_mailing_list_id')),
    sa.ForeignKeyConstraint(['subscriber_id'], ['subscriber.id'], name=op.f('fk_subscription_subscriber_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_subscription')),
    sa.UniqueConstraint('mailing_list_id', 'subscriber_id', name=op.f('uq_subscription_mailing_list_id_subscriber_id'))
    )
    with op.batch_alter_table('subscription', schema=None) as batch_op:
        batch_op.create_index('ix_subscription_launch', ['mailing_list_id', 'state', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_subscription_subscriber_id'), ['subscriber_id'], unique=False)

    op.create_table('edition',
    sa.Column('id', Id, nullable=False),
    sa.Column('campaign_id', Id, nullable=False),
    sa.Column('language', sa.String(length=35), nullable=False),
    sa.Column('is_default', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_edition_campaign_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_edition')),
    sa.UniqueConstraint('campaign_id', 'language', name=op.f('uq_edition_campaign_id_language'))
    )
    op.create_table('revision',
    sa.Column('id', Id, nullable=False),
    sa.Column('edition_id', Id, nullable=False),
    sa.Column('manuscript', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['edition_id'], ['edition.id'], name=op.f('fk_revision_edition_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_revision'))
    )
    with op.batch_alter_table('revision', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_revision_edition_id'), ['edition_id'], unique=False)

