"""Footers of lists, campaigns sent in spite of sample settings, and ids that are never given twice."""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    op.add_column('campaign', sa.Column('anyway', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('mailing_list', sa.Column('postal_address', sa.Text(), nullable=True))
    op.add_column('mailing_list', sa.Column('reason', sa.Text(), nullable=True))
    op.add_column('revision', sa.Column('postal_address', sa.Text(), nullable=True))
    op.add_column('revision', sa.Column('reason', sa.Text(), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        for table in ('subscription', 'delivery'):
            with op.batch_alter_table(table, recreate='always', table_kwargs={'sqlite_autoincrement': True}):
                pass
