"""An organiser looks up what is known of one address, and on what evidence."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.address import parse_address
from mailer.domain.suppression import EVERY_LIST, Reason
from mailer.errors import NotFound
from mailer.store import bounce_records, consents, mailing_lists, subscribers, subscriptions, suppressions

_RETURNED = ("campaign_id", "letter", "kind", "weight", "reason", "status", "complaint", "way", "diagnostic")


async def show_person(app: App, address: str) -> dict[str, Any]:
    """Subscriptions, standing orders, what came back and the consent record of an address; NotFound, AddressRefused."""
    person = parse_address(address)

    def work(tx: Connection) -> dict[str, Any]:
        number = subscribers.ids(tx, [person.key]).get(person.key)
        if number is None:
            raise NotFound(f"{person.mailed} is not known here")
        lists = {one.id: one.name for one in mailing_lists.every(tx)}
        found = (subscriptions.find(tx, mailing_list_id, person.key) for mailing_list_id in lists)
        orders = suppressions.orders(tx, app.house.keyring.suppression_key(person.key))
        return {
            "address": person.mailed,
            "never": (EVERY_LIST, Reason.NEVER) in orders,
            "suppressed": [{"list": lists.get(place, "every list"), "reason": reason} for place, reason in orders],
            "subscriptions": {lists[one.mailing_list_id]: one.state for one in found if one is not None},
            "returned": [
                {
                    "at": line["at"].isoformat(),
                    "list": lists.get(line["mailing_list_id"]),
                    **{column: line[column] for column in _RETURNED},
                    "undone": line["undone_at"] is not None,
                }
                for line in bounce_records.of_reader(tx, number)
            ],
            "consents": [
                {
                    "at": line["at"].isoformat(),
                    "list": lists[line["mailing_list_id"]],
                    **{column: line[column] for column in ("act", "way", "evidence")},
                }
                for line in consents.of_subscriber(tx, number)
            ],
        }

    return await app.database.read(work)
