"""Claims, holds and budgets; no index has the state of a delivery."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Hour = sa.DateTime(timezone=True)
HAS_HOUR, NOT_A_NOTICE, HAS_CAUSE = "due_at IS NOT NULL", "campaign_id <> 0", "cause IS NOT NULL"


def partial(where: str) -> dict[str, sa.TextClause]:
    return {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}


def upgrade() -> None:
    op.add_column('campaign', sa.Column('claim_cursor', sa.BigInteger(), server_default=sa.text('0'), nullable=False))
    op.add_column('campaign', sa.Column('corrections', sa.Integer(), server_default=sa.text('0'), nullable=False))
    op.add_column('campaign', sa.Column('when_uncertain', sa.String(8), server_default=sa.text("'resend'"), nullable=False))
    op.add_column('campaign', sa.Column('over_s', sa.Integer(), nullable=True))
    # What was launched before waits by due_at; only what is launched from now on waits in order.
    op.execute("UPDATE campaign SET claim_cursor = launch_cursor")

    # A repeat is rendered from the values kept, the reader's name among them.
    of_sqlite, of_postgresql = """json_set("values", '$.name', name)""", """("values"::jsonb || jsonb_build_object('name', name))::json"""
    named = of_postgresql if op.get_bind().dialect.name == "postgresql" else of_sqlite
    op.execute(f'UPDATE delivery SET "values" = {named} WHERE campaign_id <> 0 AND dated_at IS NOT NULL AND name IS NOT NULL')
    for index in ('ix_delivery_leaving', 'ix_delivery_queue', 'ix_delivery_state', 'uq_delivery_recipient'):
        op.drop_index(index, 'delivery')
    with op.batch_alter_table('delivery') as batch:
        batch.drop_constraint('uq_delivery_cause', type_='unique')
        batch.drop_column('name')
        batch.alter_column('worker_id', new_column_name='claim_id')
        for column, kind in (('address', sa.Text()), ('suppression_key', sa.String(64)), ('values', sa.JSON()), ('due_at', Hour), ('queued_at', Hour)):
            batch.alter_column(column, existing_type=kind, nullable=True)
    # The old workers are gone: what they claimed waits, what they had handed has an unknown outcome.
    op.execute("UPDATE delivery SET state = 'uncertain' WHERE state = 'handed' AND resends >= 2")
    op.execute("UPDATE delivery SET state = 'deferred', resends = resends + 1 WHERE state = 'handed'")
    op.execute("UPDATE delivery SET state = 'queued' WHERE state = 'claimed'")
    op.execute("UPDATE delivery SET claim_id = NULL WHERE claim_id IS NOT NULL")
    op.execute("UPDATE delivery SET due_at = NULL WHERE state NOT IN ('queued', 'deferred')")
    op.create_index('ix_delivery_due', 'delivery', ['campaign_id', 'due_at', 'id'], **partial(HAS_HOUR))
    op.create_index('uq_delivery_recipient', 'delivery', ['campaign_id', 'subscription_id'], unique=True, **partial(NOT_A_NOTICE))
    op.create_index('uq_delivery_cause', 'delivery', ['cause'], unique=True, **partial(HAS_CAUSE))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE delivery SET (fillfactor = 50)")

    op.drop_table('worker')
    op.create_table('worker',
    sa.Column('id', Id, nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('started_at', Hour, nullable=False),
    sa.Column('lease_until', Hour, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_worker')),
    sqlite_autoincrement=True,
    )
    op.create_table('claim',
    sa.Column('id', Id, nullable=False),
    sa.Column('campaign_id', sa.BigInteger(), nullable=False),
    sa.Column('worker_id', sa.BigInteger(), nullable=False),
    sa.Column('deliveries', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_claim')),
    sqlite_autoincrement=True,
    )
    op.create_index('ix_claim_campaign_id', 'claim', ['campaign_id'])
    op.create_index('ix_claim_worker_id', 'claim', ['worker_id'])
    op.create_table('hold',
    sa.Column('lane', sa.Text(), nullable=False),
    sa.Column('until', Hour, nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('since', Hour, nullable=False),
    sa.PrimaryKeyConstraint('lane', name=op.f('pk_hold'))
    )
    op.create_table('budget',
    sa.Column('spender', sa.Text(), nullable=False),
    sa.Column('span_s', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('at', Hour, nullable=False),
    sa.Column('spent', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.PrimaryKeyConstraint('spender', 'span_s', name=op.f('pk_budget'))
    )
