"""An organiser looks up what is known of one address, and on what evidence."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.address import parse_address
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.errors import NotFound
from mailer.store import bounce_records, consents, mailing_lists, subscribers, subscriptions, suppressions

_BOUNCE_COLUMNS = ("campaign_id", "letter", "kind", "weight", "reason", "status", "complaint", "way", "diagnostic")


async def show_person(app: App, address: str) -> dict[str, Any]:
    """Subscriptions, standing orders, what came back and the consent record of an address; NotFound, AddressRefused."""
    person = parse_address(address)

    def work(tx: Connection) -> dict[str, Any]:
        number = subscribers.ids_by_key(tx, [person.key]).get(person.key)
        if number is None:
            raise NotFound(f"{person.addr_spec} is not known here")
        lists = {one.id: one.name for one in mailing_lists.list_all(tx)}
        found = (subscriptions.find(tx, mailing_list_id, person.key) for mailing_list_id in lists)
        orders = suppressions.list_for_person(tx, app.site.keyring.suppression_key(person.key))
        return {
            "address": person.addr_spec,
            "never": (EVERY_LIST, SuppressionReason.NEVER) in orders,
            "suppressed": [{"list": lists.get(place, "every list"), "reason": reason} for place, reason in orders],
            "subscriptions": {lists[one.mailing_list_id]: one.state for one in found if one is not None},
            "returned": [
                {
                    "at": line["at"].isoformat(),
                    "list": lists.get(line["mailing_list_id"]),
                    **{column: line[column] for column in _BOUNCE_COLUMNS},
                    "undone": line["undone_at"] is not None,
                }
                for line in bounce_records.list_for_subscriber(tx, number)
            ],
            "consents": [
                {
                    "at": line["at"].isoformat(),
                    "list": lists[line["mailing_list_id"]],
                    **{column: line[column] for column in ("act", "way", "evidence")},
                }
                for line in consents.list_for_subscriber(tx, number)
            ],
        }

    return await app.database.read(work)
