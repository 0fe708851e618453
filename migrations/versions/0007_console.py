"""Organisers, their sessions and the audit log; drafts, approvals; numbers that pages show without counting."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'

Hour = sa.DateTime(timezone=True)
Id = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.add_column('mailing_list', sa.Column('zone', sa.Text(), server_default=sa.text("'UTC'"), nullable=False))
    op.add_column('mailing_list', sa.Column('testers', sa.JSON(), nullable=True))
    op.add_column('mailing_list',
                  sa.Column('needs_approval', sa.Boolean(), server_default=sa.false(), nullable=False))
    parked = sa.text("state = 'parked'")
    op.create_index('ix_incoming_parked', 'incoming', ['id'], sqlite_where=parked, postgresql_where=parked)
    op.add_column('campaign', sa.Column('stopped_at', Hour, nullable=True))
    op.add_column('revision', sa.Column('is_trial', sa.Boolean(), server_default=sa.false(), nullable=False))
    _create_name_indexes()
    _create_organisers()
    _create_sessions()
    _create_audit()
    _create_drafts()
    _create_counts()


def _create_name_indexes() -> None:
    named = sa.text('name IS NOT NULL')
    op.create_index('ix_subscriber_name', 'subscriber', ['name'], sqlite_where=named, postgresql_where=named,
                    postgresql_ops={'name': 'text_pattern_ops'})
    if op.get_bind().dialect.name == 'postgresql':
        op.create_index('ix_subscriber_address_prefix', 'subscriber', ['address_key'],
                        postgresql_ops={'address_key': 'text_pattern_ops'})


def _create_organisers() -> None:
    op.create_table('organiser',
    sa.Column('id', Id, nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('address_key', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('language', sa.String(35), nullable=False),
    sa.Column('zone', sa.Text(), nullable=False),
    sa.Column('created_at', Hour, nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_organiser')),
    sa.UniqueConstraint('address_key', name=op.f('uq_organiser_address_key')),
    sqlite_autoincrement=True,
    )
    op.create_table('organiser_role',
    sa.Column('organiser_id', Id, nullable=False),
    sa.Column('mailing_list_id', Id, autoincrement=False, nullable=False),
    sa.Column('role', sa.String(16), nullable=False),
    sa.Column('language', sa.String(35), server_default=sa.text("''"), nullable=False),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_organiser_role_organiser_id'),
                            ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('organiser_id', 'mailing_list_id', 'role', 'language', name=op.f('pk_organiser_role')),
    )


def _create_sessions() -> None:
    op.create_table('sign_in',
    sa.Column('id', Id, nullable=False),
    sa.Column('organiser_id', Id, nullable=True),
    sa.Column('browser_hash', sa.String(64), nullable=True),
    sa.Column('link_hash', sa.String(64), nullable=True),
    sa.Column('code_hash', sa.String(64), nullable=True),
    sa.Column('tries', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('next_path', sa.Text(), nullable=True),
    sa.Column('purpose', sa.String(16), nullable=False),
    sa.Column('created_at', Hour, nullable=False),
    sa.Column('expires_at', Hour, nullable=False),
    sa.Column('used_at', Hour, nullable=True),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_sign_in_organiser_id'),
                            ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in')),
    sa.UniqueConstraint('link_hash', name=op.f('uq_sign_in_link_hash')),
    sqlite_autoincrement=True,
    )
    for column in ('organiser_id', 'browser_hash', 'expires_at'):
        op.create_index(op.f(f'ix_sign_in_{column}'), 'sign_in', [column])
    op.create_table('organiser_session',
    sa.Column('id', Id, nullable=False),
    sa.Column('organiser_id', Id, nullable=False),
    sa.Column('token_hash', sa.String(64), nullable=False),
    sa.Column('device', sa.Text(), nullable=False),
    sa.Column('created_at', Hour, nullable=False),
    sa.Column('used_at', Hour, nullable=False),
    sa.Column('expires_at', Hour, nullable=False),
    sa.ForeignKeyConstraint(['organiser_id'], ['organiser.id'], name=op.f('fk_organiser_session_organiser_id'),
                            ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_organiser_session')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_organiser_session_token_hash')),
    sqlite_autoincrement=True,
    )
    for column in ('organiser_id', 'expires_at'):
        op.create_index(op.f(f'ix_organiser_session_{column}'), 'organiser_session', [column])


def _create_audit() -> None:
    op.create_table('audit_line',
    sa.Column('id', Id, nullable=False),
    sa.Column('at', Hour, nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('organiser_id', Id, nullable=True),
    sa.Column('door', sa.String(16), nullable=False),
    sa.Column('act', sa.String(32), nullable=False),
    sa.Column('mailing_list_id', Id, nullable=True),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('before', sa.JSON(), nullable=True),
    sa.Column('after', sa.JSON(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_line')),
    sqlite_autoincrement=True,
    )
    op.create_index('ix_audit_line_list', 'audit_line', ['mailing_list_id', 'id'])
    if op.get_bind().dialect.name == 'sqlite':
        op.execute("CREATE TRIGGER audit_line_is_append_only BEFORE UPDATE ON audit_line "
                   "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END")
    else:
        op.execute("CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
                   "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$")
        op.execute("CREATE TRIGGER audit_line_is_append_only BEFORE UPDATE ON audit_line "
                   "FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()")


def _create_drafts() -> None:
    op.create_table('draft',
    sa.Column('edition_id', Id, autoincrement=False, nullable=False),
    *_text_columns(),
    sa.Column('source_digest', sa.String(64), nullable=True),
    sa.ForeignKeyConstraint(['edition_id'], ['edition.id'], name=op.f('fk_draft_edition_id')),
    sa.PrimaryKeyConstraint('edition_id', name=op.f('pk_draft')),
    )
    op.create_table('draft_version',
    sa.Column('id', Id, nullable=False),
    sa.Column('edition_id', Id, nullable=False),
    *_text_columns(),
    sa.Column('is_aside', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.ForeignKeyConstraint(['edition_id'], ['edition.id'], name=op.f('fk_draft_version_edition_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_draft_version')),
    sa.UniqueConstraint('edition_id', 'version', name=op.f('uq_draft_version_edition_id_version')),
    )
    op.create_table('approval',
    sa.Column('id', Id, nullable=False),
    sa.Column('campaign_id', Id, nullable=False),
    sa.Column('organiser_id', Id, nullable=True),
    sa.Column('approved_by', sa.Text(), nullable=False),
    sa.Column('digest', sa.String(64), nullable=False),
    sa.Column('at', Hour, nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_approval_campaign_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_approval')),
    )
    op.create_index(op.f('ix_approval_campaign_id'), 'approval', ['campaign_id'])
    op.create_table('test_letter',
    sa.Column('id', Id, nullable=False),
    sa.Column('campaign_id', Id, nullable=False),
    sa.Column('language', sa.String(35), nullable=False),
    sa.Column('delivery_id', Id, nullable=False),
    sa.Column('revision_id', Id, nullable=False),
    sa.Column('sent_by', sa.Text(), nullable=False),
    sa.Column('sent_at', Hour, nullable=False),
    sa.ForeignKeyConstraint(['campaign_id'], ['campaign.id'], name=op.f('fk_test_letter_campaign_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_test_letter')),
    )
    op.create_index(op.f('ix_test_letter_campaign_id'), 'test_letter', ['campaign_id'])


def _text_columns() -> list[sa.Column]:
    return [
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('manuscript', sa.Text(), nullable=False),
        sa.Column('changed_at', Hour, nullable=False),
        sa.Column('changed_by', sa.Text(), nullable=False),
    ]


def _create_counts() -> None:
    op.create_table('campaign_count',
    sa.Column('campaign_id', Id, autoincrement=False, nullable=False),
    sa.Column('state', sa.String(16), nullable=False),
    sa.Column('shard', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('campaign_id', 'state', 'shard', name=op.f('pk_campaign_count')),
    )
    op.create_table('list_day',
    sa.Column('mailing_list_id', Id, autoincrement=False, nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('joined', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('left', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.PrimaryKeyConstraint('mailing_list_id', 'day', name=op.f('pk_list_day')),
    )
    op.create_table('audience_count',
    sa.Column('mailing_list_id', Id, autoincrement=False, nullable=False),
    sa.Column('state', sa.String(16), nullable=False),
    sa.Column('language', sa.String(35), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('counted_at', Hour, nullable=False),
    sa.PrimaryKeyConstraint('mailing_list_id', 'state', 'language', name=op.f('pk_audience_count')),
    )
    _count_deliveries()


UNCOUNTED = "('queued', 'handed')"
"""States of deliveries that are not counted: how many these are follows from the audience and the claims."""


def _count_deliveries() -> None:
    """The database itself counts each change of a delivery's state, in the transaction that changes it.

    A later migration that rebuilds the table delivery on SQLite must create these triggers again.
    """
    if op.get_bind().dialect.name == 'sqlite':
        for name, side, step in (('begins', 'NEW', 1), ('ends', 'OLD', -1)):
            op.execute(f"CREATE TRIGGER delivery_state_{name} AFTER UPDATE OF state ON delivery "
                       f"WHEN OLD.state <> NEW.state AND {side}.campaign_id <> 0 AND {side}.state NOT IN {UNCOUNTED} "
                       f"BEGIN INSERT INTO campaign_count VALUES ({side}.campaign_id, {side}.state, 0, {step}) "
                       f"ON CONFLICT DO UPDATE SET number = number + {step}; END")
    else:
        op.execute(f"""
            CREATE OR REPLACE FUNCTION count_delivery_states() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO campaign_count AS kept (campaign_id, state, shard, number)
                SELECT campaign_id, state, pg_backend_pid(), sum(step)
                FROM (
                    SELECT campaign_id, state, 1 AS step FROM rows_after
                    WHERE campaign_id <> 0 AND state NOT IN {UNCOUNTED}
                    UNION ALL
                    SELECT campaign_id, state, -1 FROM rows_before
                    WHERE campaign_id <> 0 AND state NOT IN {UNCOUNTED}
                ) AS changed
                GROUP BY campaign_id, state HAVING sum(step) <> 0
                ON CONFLICT (campaign_id, state, shard) DO UPDATE SET number = kept.number + excluded.number;
                RETURN NULL;
            END $$""")
        op.execute("CREATE TRIGGER delivery_states_are_counted AFTER UPDATE ON delivery "
                   "REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after "
                   "FOR EACH STATEMENT EXECUTE FUNCTION count_delivery_states()")
    op.execute("INSERT INTO campaign_count (campaign_id, state, shard, number) "
               "SELECT campaign_id, state, 0, count(*) FROM delivery "
               f"WHERE campaign_id <> 0 AND state NOT IN {UNCOUNTED} GROUP BY campaign_id, state")
    # Until now nothing that anybody saw was reckoned from it.
    op.execute("UPDATE campaign SET audience = (SELECT count(*) FROM delivery WHERE campaign_id = campaign.id "
               "AND campaign_id <> 0) WHERE launched_at IS NOT NULL")
