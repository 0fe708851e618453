"""What real mail asked of the ledger: whether a campaign goes out though the settings still hold samples."""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    op.add_column('campaign', sa.Column('anyway', sa.Boolean(), server_default=sa.false(), nullable=False))
