"""Subscribers of listmonk's API (/api/subscribers), whose state is that of the list that is moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailer.domain.address import Address
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.export_format import ReadOptions
from mailer.importers.export_times import parse_export_time
from mailer.importers.json_records import JsonRecord, read_json_records
from mailer.importers.person_fields import PersonFields, json_text, keep_known, parse_rows, read_address
from mailer.importers.person_row import EvidenceGrade, PersonRow, SuppressionEntry
from mailer.importers.source_files import SourceFile

_STATES = {
    "confirmed": SubscriptionState.CONFIRMED,
    "unconfirmed": SubscriptionState.PENDING,
    "unsubscribed": SubscriptionState.UNSUBSCRIBED,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ChosenList:
    """The list of listmonk that is moved."""

    id: str
    """Empty where nobody is on any list."""
    guessed: tuple[str, ...]


def choose_list(files: Sequence[SourceFile], places: Collection[str], options: ReadOptions) -> ChosenList:
    """Find the list by its name, id or UUID, or the only one. Raises TableRefused where that is not one list."""
    names: dict[str, tuple[str, ...]] = {}
    single, unconfirmed = set(), Counter[str]()
    for file in files:
        for _, record in read_json_records(file, places):
            for one in _lists(record) if isinstance(record, dict) else ():
                key = _id(one)
                names[key] = (json_text(one.get("name")), json_text(one.get("uuid")), key)
                unconfirmed[key] += one.get("subscription_status") == "unconfirmed"
                if one.get("optin") == "single":
                    single.add(key)
    wanted = options.source_list
    chosen = [key for key, known in names.items() if wanted is None or wanted.casefold() in map(str.casefold, known)]
    if len(chosen) != 1 and (names or wanted is not None):
        there = ", ".join(sorted(known[0] for known in names.values())) or "none"
        raise TableRefused(f"the lists in it are: {there}; say the name of the one to move with --source-list")
    if not chosen:
        return ChosenList(id="", guessed=())
    key = chosen[0]
    others = ", ".join(sorted(known[0] for one, known in names.items() if one != key))
    guessed = [f"only {names[key][0]} is moved, not {others}"] if others else []
    if key in single and unconfirmed[key] and options.state is None:
        guessed.append(
            f"{names[key][0]} has single opt-in, and {unconfirmed[key]} unconfirmed subscribers, whom listmonk mails "
            "all the same: they are pending here, unless you say --state confirmed"
        )
    return ChosenList(id=key, guessed=tuple(guessed))


def read_subscribers(
    file: SourceFile, places: Collection[str], chosen: ChosenList, options: ReadOptions
) -> Iterator[tuple[int, PersonRow | BadRow]]:
    """The people of the chosen list, and those on the blocklist, who get nothing of any list."""
    return parse_rows(
        read_json_records(file, places), lambda record: _parse_subscriber(record, chosen, options), file.base_name
    )


def _parse_subscriber(record: JsonRecord, chosen: ChosenList, options: ReadOptions) -> PersonRow | None:
    status = json_text(record.get("status"))
    subscription = next((one for one in _lists(record) if chosen.id and _id(one) == chosen.id), None)
    if subscription is None and status in {"enabled", "disabled"}:
        return None
    fields = PersonFields(name=json_text(record.get("name")) or None)
    fields.add_json(_mapping(record.get("attribs")))
    subscription = subscription or {}
    state = _subscription_state(subscription, options) if subscription else SubscriptionState.UNSUBSCRIBED
    changed = parse_export_time(json_text(subscription.get("subscription_updated_at")), zone="UTC")
    meta = _mapping(subscription.get("subscription_meta"))
    agreed = changed if state is SubscriptionState.CONFIRMED else None
    grade = EvidenceGrade.NONE
    if agreed and subscription.get("optin") != "single":
        grade = EvidenceGrade.STRONG if meta.get("optin_ip") else EvidenceGrade.SOME
    return account_row(
        read_address(json_text(record.get("email"))),
        status,
        state,
        fields,
        agreed_at=agreed,
        changed_at=None if agreed else changed,
        grade=grade,
        evidence={
            "optin_ip": json_text(meta.get("optin_ip")),
            "optin": json_text(subscription.get("subscription_created_at")),
            "confirm": json_text(subscription.get("subscription_updated_at")) if agreed else "",
        },
        uuid=json_text(record.get("uuid")),
    )


def account_row(
    address: Address,
    status: str,
    state: SubscriptionState,
    fields: PersonFields,
    *,
    agreed_at: datetime | None,
    changed_at: datetime | None,
    grade: EvidenceGrade,
    evidence: Mapping[str, str],
    uuid: str,
) -> PersonRow:
    """A subscriber whose account has this status, and whose subscription this state. Raises TableRefused."""
    suppressions: tuple[SuppressionEntry, ...] = ()
    remarks, by = list(fields.remarks), ""
    if status in {"blocklisted", "blacklisted"}:
        state, agreed_at, grade = SubscriptionState.UNSUBSCRIBED, None, EvidenceGrade.NONE
        suppressions = (SuppressionEntry(reason=SuppressionReason.LEFT, everywhere=True, since=changed_at),)
        remarks.append("is on the blocklist: by a bounce, a complaint, their own wish or an organiser's")
    elif status == "disabled":
        suppressions = (SuppressionEntry(reason=SuppressionReason.PAUSED, everywhere=False, since=None),)
        by = "owner"
    elif status != "enabled":
        raise TableRefused(f"status is {status!r}, which is not known here")
    return PersonRow(
        address=address,
        name=fields.name,
        language=fields.language,
        attributes=fields.attributes,
        state=state,
        suppressions=suppressions,
        agreed_at=agreed_at,
        changed_at=changed_at,
        evidence_grade=grade,
        evidence=keep_known({**evidence, "status": status if status != "enabled" else "", "by": by}),
        source_token=uuid or None,
        remarks=tuple(remarks),
    )


def _subscription_state(subscription: JsonRecord, options: ReadOptions) -> SubscriptionState:
    word = json_text(subscription.get("subscription_status"))
    if word not in _STATES:
        raise TableRefused(f"subscription_status is {word!r}, which is not known here")
    if word == "unconfirmed" and subscription.get("optin") == "single" and options.state is not None:
        return options.state
    return _STATES[word]


def _lists(record: JsonRecord) -> list[JsonRecord]:
    lists = record.get("lists")
    return [one for one in lists if isinstance(one, dict)] if isinstance(lists, list) else []


def _id(one: JsonRecord) -> str:
    return json_text(one.get("id")) or json_text(one.get("uuid"))


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
