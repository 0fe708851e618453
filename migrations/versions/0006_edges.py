"""What real mail asked of the ledger: nothing yet."""

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    pass
