"""Export what is known of one person, for the person (GDPR, articles 15 and 20)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor, require_anywhere
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.address import Address, parse_address
from mailer.domain.letters.delivery_record import DeliveryRecord
from mailer.errors import NotFound
from mailer.store import mailing_lists, subscribers, subscriptions
from mailer.store.accounts import audit_log
from mailer.store.exports import person_rows
from mailer.store.queue import delivery_records
from mailer.store.subscribers import SubscriberRow

_MOST_NOTICES = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonExport:
    """All that is known of a person on the lists where the actor sees people, as JSON has it."""

    address: str
    language: str
    """In which it is to be told."""
    is_erased: bool
    """Whether nothing is kept but that the address must not be mailed, under a keyed hash."""
    data: dict[str, Any]


async def export_person(app: App, actor: Actor, address: str) -> PersonExport:
    """What is known of an address, also of one that never confirmed; the audit log has who exported it.

    Raises AddressRefused, NotPermitted where the actor sees nobody, and NotFound for somebody of whom nothing is known
    on the actor's lists.
    """
    return await app.database.write(_load, app, actor, parse_address(address))


def _load(tx: Connection, app: App, actor: Actor, address: Address) -> PersonExport:
    allowed = require_anywhere(actor, Permission.SEE_PEOPLE)
    person = subscribers.find(tx, address_key=address.key)
    if person is not None and allowed is not None and not allowed & subscriptions.list_ids(tx, person.id):
        person = None
    keys = {app.site.keyring.suppression_key(key) for key in (address.key, address.mailbox_key)}
    suppressed = person_rows.load_suppressions(tx, keys, allowed) if person is not None or allowed is None else []
    if person is None and not suppressed:
        raise NotFound(f"{address.addr_spec} is not known here")
    data: dict[str, Any] = {"address": address.addr_spec, "erased": person is None}
    if person is not None:
        data |= person_rows.load_person(tx, person.id, allowed)
        data["person"] = data["person"][0]
        data["letters"] = _letters(tx, person.id, app.site.keyring.suppression_key(address.key), allowed)
    data["suppressions"] = suppressed
    audit_log.record(
        tx,
        actor,
        Act.EXPORT_PERSON,
        subject="an erased person" if person is None else f"subscriber {person.id}",
        now=app.clock(),
    )
    return PersonExport(
        address=address.addr_spec,
        language=app.language(person.language if person else None, *_list_languages(tx, person)),
        is_erased=person is None,
        data=data,
    )


def _list_languages(tx: Connection, person: SubscriberRow | None) -> list[str]:
    """Those of the lists that a person is or was on."""
    numbers = sorted(subscriptions.list_ids(tx, person.id)) if person is not None else []
    return [mailing_lists.get(tx, one).language for one in numbers]


def _letters(tx: Connection, subscriber_id: int, key: str, allowed: Collection[int] | None) -> list[dict[str, Any]]:
    """Letters of campaigns, and notices as long as they are kept, the newest first."""
    of_campaigns = delivery_records.list_for_subscriber(tx, subscriber_id, allowed)
    return [_letter(one) for one in (*of_campaigns, *delivery_records.list_notices(tx, key, allowed, _MOST_NOTICES))]


def _letter(one: DeliveryRecord) -> dict[str, Any]:
    times = {"queued_at": one.queued_at, "sent_at": one.dated_at, "answered_at": one.answered_at}
    values = {
        "campaign_id": one.campaign_id or None,
        "kind": one.kind.value,
        "subject": one.subject or None,
        "state": one.state.value,
        **{name: at and at.isoformat() for name, at in times.items()},
        "code": one.code,
        "reply": one.reply,
    }
    return {name: value for name, value in values.items() if value is not None}


def render_person(app: App, export: PersonExport) -> str:
    """The same as one page of HTML, in the person's language, with nothing from outside."""
    return app.templates.render("exports/person.html", export.language, site=app.site, export=export)
