"""A database as it is after years: people, campaigns and deliveries, written by a few statements."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from mailer.store.counts import campaign_counts

_NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last) ",
    "postgresql": "WITH n(i) AS (SELECT generate_series(CAST(:first AS bigint), CAST(:last AS bigint))) ",
}
_HOUR = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', '2027-02-28 12:00:00', '-' || ({minutes}) || ' minutes')",
    "postgresql": "timestamptz '2027-02-28 12:00:00Z' - ({minutes}) * interval '1 minute'",
}
_LANGUAGE = "CASE i % 5 WHEN 0 THEN 'tr' WHEN 1 THEN 'de' WHEN 2 THEN NULL ELSE 'en' END"
_STATE = "CASE WHEN i % 40 = 0 THEN 'unsubscribed' WHEN i % 41 = 0 THEN 'pending' ELSE 'confirmed' END"
_CHUNK = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ManyRows:
    """How much there is."""

    people: int
    campaigns: int
    deliveries: int

    @property
    def audience(self) -> int:
        """The recipients of each campaign."""
        return min(self.people, self.deliveries // self.campaigns)


def add_many_rows(tx: Connection, mailing_list_id: int, rows: ManyRows) -> None:
    """Add people to a list, with the consents of years, and sent campaigns to them with their bounces.

    Their ids begin behind those that are there. A year lies between the oldest consent and the newest.
    """
    people, campaigns = _next_id(tx, "subscriber"), _next_id(tx, "campaign")
    subscriptions = _next_id(tx, "subscription")
    ids = {"list": mailing_list_id, "shift": subscriptions - people}
    for first in range(people, people + rows.people, _CHUNK):
        span = ids | {"first": first, "last": min(first + _CHUNK, people + rows.people) - 1}
        _add_people(tx, span)
    _run(tx, _CAMPAIGNS, ids | {"first": campaigns, "last": campaigns + rows.campaigns - 1, "audience": rows.audience})
    for campaign in range(campaigns, campaigns + rows.campaigns):
        # Each goes to other people of the list, so that no campaign's rows stand beside another's.
        begin = people + (campaign * 7919) % max(rows.people - rows.audience, 1)
        span = ids | {"first": begin, "last": begin + rows.audience - 1, "campaign": campaign}
        _run(tx, _DELIVERIES, span)
        _run(tx, _RETURNED, span)
    _advance_ids(tx)
    campaign_counts.recount_all(tx)


def _add_people(tx: Connection, span: dict[str, int]) -> None:
    for statement in (_PEOPLE, _SUBSCRIPTIONS, _CONSENTS, _SUPPRESSIONS):
        _run(tx, statement, span)


def _run(tx: Connection, statement: str, values: dict[str, int]) -> None:
    kind = tx.dialect.name
    hour, minutes = _HOUR[kind], "(i * 7) % 525600"
    filled = statement.replace("{hour}", hour.format(minutes=minutes))
    head, _, rest = filled.partition("SELECT")
    words = f"{head}{_NUMBERS[kind]}SELECT{rest}"
    tx.execute(text(words), {key: value for key, value in values.items() if f":{key}" in words})


def _next_id(tx: Connection, table: str) -> int:
    return int(tx.execute(text(f"SELECT coalesce(max(id), 0) + 1 FROM {table}")).scalar_one())


def _advance_ids(tx: Connection) -> None:
    """Let PostgreSQL give the next row of each table an id of its own."""
    if tx.dialect.name == "postgresql":
        for table in ("subscriber", "subscription", "campaign", "delivery", "consent", "returned"):
            tx.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"))


_ADDRESS = "'many' || i || '@mail' || (i % 100) || '.example.org'"
_PEOPLE = f"""INSERT INTO subscriber
    (id, address, address_key, mailbox_key, suppression_key, name, language, created_at)
    SELECT i, {_ADDRESS}, {_ADDRESS}, {_ADDRESS}, 'key of ' || i, 'Person ' || i, {_LANGUAGE}, {{hour}} FROM n"""
_SUBSCRIPTIONS = f"""INSERT INTO subscription
    (id, mailing_list_id, subscriber_id, state, attributes, created_at, changed_at)
    SELECT i + :shift, :list, i, {_STATE}, '{{}}', {{hour}}, {{hour}} FROM n"""
_CONSENTS = """INSERT INTO consent (mailing_list_id, subscriber_id, act, way, evidence, at)
    SELECT :list, i, CASE WHEN i % 40 = 0 THEN 'left' ELSE 'imported' END, 'import', '{}', {hour} FROM n"""
_SUPPRESSIONS = """INSERT INTO suppression (suppression_key, mailing_list_id, reason, created_at)
    SELECT 'key of ' || i, :list, 'bounced', {hour} FROM n WHERE i % 50 = 0"""
_CAMPAIGNS = """INSERT INTO campaign
    (id, mailing_list_id, state, subject, launched_at, finished_at, audience, claim_cursor, launch_cursor, created_at)
    SELECT i, :list, 'sent', 'Letter number ' || i, {hour}, {hour}, :audience, 0, 0, {hour} FROM n"""
_DELIVERIES = """INSERT INTO delivery
    (campaign_id, kind, mailing_list_id, subscriber_id, subscription_id, state, attempts, answered_at, code, reply)
    SELECT :campaign, 'campaign', :list, i, i + :shift, CASE WHEN i % 50 = 0 THEN 'failed' ELSE 'accepted' END, 1,
    {hour}, 250, '250 2.0.0 ok' FROM n"""
_RETURNED = """INSERT INTO returned
    (delivery_id, campaign_id, letter, mailing_list_id, domain, kind, weight, reason, diagnostic, way, at)
    SELECT CAST(:campaign AS bigint) * 100000000 + i, :campaign, 'campaign', :list,
    'mail' || (i % 100) || '.example.org', 'bounce',
    'hard', 'unknown_user', '', 'mail', {hour} FROM n WHERE i % 20 = 0"""
