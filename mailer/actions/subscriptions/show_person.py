"""Show what is known of one address, and on what evidence."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.address import parse_address
from mailer.domain.person_view import EVERY_LIST_NAME, BounceView, ConsentView, PersonView, SuppressionView
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.errors import NotFound
from mailer.store import bounce_records, consents, mailing_lists, subscribers, subscriptions, suppressions
from mailer.store.bounce_records import BounceRecord
from mailer.store.consents import ConsentLine


async def show_person(app: App, address: str) -> PersonView:
    """Everything that is known of an address. Raises NotFound and AddressRefused."""
    person = parse_address(address)

    def work(tx: Connection) -> PersonView:
        subscriber_id = subscribers.ids_by_key(tx, [person.key]).get(person.key)
        if subscriber_id is None:
            raise NotFound(f"{person.addr_spec} is not known here")
        list_names = {one.id: one.name for one in mailing_lists.list_all(tx)}
        found = (subscriptions.find(tx, list_id, person.key) for list_id in list_names)
        suppressed = suppressions.list_for_person(tx, app.site.keyring.suppression_key(person.key))
        return PersonView(
            address=person.addr_spec,
            never=(EVERY_LIST, SuppressionReason.NEVER) in suppressed,
            suppressions=tuple(
                SuppressionView(list_name=list_names.get(list_id, EVERY_LIST_NAME), reason=reason)
                for list_id, reason in suppressed
            ),
            subscriptions={list_names[one.mailing_list_id]: one.state for one in found if one is not None},
            bounces=tuple(
                _bounce_view(row, list_names) for row in bounce_records.list_for_subscriber(tx, subscriber_id)
            ),
            consents=tuple(_consent_view(row, list_names) for row in consents.list_for_subscriber(tx, subscriber_id)),
        )

    return await app.database.read(work)


def _bounce_view(one: BounceRecord, list_names: Mapping[int, str]) -> BounceView:
    return BounceView(
        at=one.at,
        list_name=list_names.get(one.mailing_list_id or 0),
        campaign_id=one.campaign_id,
        letter=one.letter,
        kind=one.kind,
        severity=one.severity,
        reason=one.reason,
        status=one.status,
        complaint=one.complaint,
        channel=one.channel,
        diagnostic=one.diagnostic,
        undone=one.is_undone,
    )


def _consent_view(line: ConsentLine, list_names: Mapping[int, str]) -> ConsentView:
    return ConsentView(
        at=line.at,
        list_name=list_names[line.mailing_list_id],
        act=line.act,
        channel=line.channel,
        evidence=line.evidence,
    )
