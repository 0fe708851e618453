"""Members of Mailchimp's audiences: what their status means, and those that its API gives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum

from mailer.domain.address import Address
from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.export_format import ReadOptions
from mailer.importers.export_times import parse_export_time
from mailer.importers.json_records import JsonRecord, find_json_keys, read_json_records
from mailer.importers.person_fields import PersonFields, json_text, keep_known, parse_rows, read_address
from mailer.importers.person_row import EvidenceGrade, PersonRow, SuppressionEntry
from mailer.importers.source_files import SourceFile

_PLACES = ("members.item", "item", "")
_MEMBER_KEYS = {"email_address", "status", "merge_fields"}
_COMPLAINT = re.compile(r"spam|abuse|complain", re.IGNORECASE)
_BY_OWNER = re.compile(r"\badmin\b|\bby the? ?owner\b", re.IGNORECASE)


class MemberStatus(StrEnum):
    """A member's status, in the words of the API."""

    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"
    CLEANED = "cleaned"
    """Removed, since letters bounced."""
    PENDING = "pending"
    TRANSACTIONAL = "transactional"
    """Never agreed to marketing: the export's "nonsubscribed"."""
    ARCHIVED = "archived"
    """Put aside by an organiser."""


_STATES = {
    MemberStatus.SUBSCRIBED: SubscriptionState.CONFIRMED,
    MemberStatus.UNSUBSCRIBED: SubscriptionState.UNSUBSCRIBED,
    MemberStatus.CLEANED: SubscriptionState.CONFIRMED,
    MemberStatus.PENDING: SubscriptionState.PENDING,
    MemberStatus.TRANSACTIONAL: None,
    MemberStatus.ARCHIVED: SubscriptionState.UNSUBSCRIBED,
}
_AGREED = frozenset(MemberStatus) - {MemberStatus.PENDING, MemberStatus.TRANSACTIONAL}


def is_member_file(file: SourceFile) -> bool:
    """Whether a file has members of the API."""
    keys = find_json_keys(file, _PLACES)
    return keys is not None and keys >= _MEMBER_KEYS


def read_member_file(file: SourceFile, options: ReadOptions) -> Iterator[tuple[int, PersonRow | BadRow]]:
    """The members of a file of the API."""
    return parse_rows(read_json_records(file, _PLACES), _parse_member, file.base_name)


def _parse_member(member: JsonRecord) -> PersonRow:
    fields = PersonFields()
    merge_fields = dict(_mapping(member.get("merge_fields")))
    first, last = json_text(merge_fields.pop("FNAME", "")), json_text(merge_fields.pop("LNAME", ""))
    fields.name = json_text(member.get("full_name")) or f"{first} {last}".strip() or None
    fields.add_json({key: _in_line(value) for key, value in merge_fields.items()})
    fields.add_language(json_text(member.get("language")))
    fields.add_zone(json_text(_mapping(member.get("location")).get("timezone")))
    if any(_mapping(member.get("interests")).values()):
        fields.remarks.append("interests are numbers without names in the API, and do not come along")
    tags = [_mapping(tag).get("name", tag) for tag in member.get("tags") or []]
    fields.add_attribute("tags", "; ".join(map(json_text, tags)))
    status = json_text(member.get("status"))
    if status not in set(MemberStatus):
        raise TableRefused(f"status is {status!r}, which is not known here")
    evidence = {
        "optin": json_text(member.get("timestamp_signup")),
        "optin_ip": json_text(member.get("ip_signup")),
        "confirm": json_text(member.get("timestamp_opt")),
        "confirm_ip": json_text(member.get("ip_opt")),
        "reason": json_text(member.get("unsubscribe_reason")),
        "source": json_text(member.get("source")),
        "note": json_text(_mapping(member.get("last_note")).get("note")),
    }
    changed_at = parse_export_time(json_text(member.get("last_changed")), zone="UTC")
    address = read_address(json_text(member.get("email_address")))
    return member_row(address, MemberStatus(status), fields, keep_known(evidence), changed_at=changed_at, zone="UTC")


def member_row(
    address: Address,
    status: MemberStatus,
    fields: PersonFields,
    evidence: dict[str, str],
    *,
    changed_at: datetime | None,
    zone: str,
) -> PersonRow:
    """A member as a row to import; `evidence` holds what is known of optin, confirm, their IPs, reason, and more."""
    suppressions: tuple[SuppressionEntry, ...] = ()
    if status is MemberStatus.CLEANED:
        suppressions = (SuppressionEntry(reason=SuppressionReason.BOUNCED, everywhere=False, since=changed_at),)
    elif status is MemberStatus.UNSUBSCRIBED and _COMPLAINT.search(evidence.get("reason", "")):
        suppressions = (SuppressionEntry(reason=SuppressionReason.COMPLAINED, everywhere=True, since=changed_at),)
    if status is MemberStatus.ARCHIVED or _BY_OWNER.search(evidence.get("reason", "")):
        evidence["by"] = "owner"
    confirm = evidence.get("confirm")
    agreed_at = parse_export_time(confirm, zone=zone) if confirm and status in _AGREED else None
    grade = _grade(evidence) if agreed_at else EvidenceGrade.NONE
    if status is MemberStatus.SUBSCRIBED and grade is EvidenceGrade.NONE:
        fields.remarks.append("was added without a request of their own on record")
    return PersonRow(
        address=address,
        name=fields.name,
        language=fields.language,
        zone=fields.zone,
        attributes=fields.attributes,
        state=_STATES[status],
        suppressions=suppressions,
        agreed_at=agreed_at,
        changed_at=changed_at if status is not MemberStatus.SUBSCRIBED else None,
        evidence_grade=grade,
        evidence=evidence,
        remarks=tuple(fields.remarks),
    )


def _grade(evidence: Mapping[str, str]) -> EvidenceGrade:
    """How well the times prove consent: of a single opt-in, and of people added by others, both times are equal."""
    optin = evidence.get("optin")
    twice = optin is not None and optin != evidence.get("confirm")
    if "optin_ip" in evidence or "confirm_ip" in evidence:
        return EvidenceGrade.STRONG if twice and "confirm_ip" in evidence else EvidenceGrade.SOME
    return EvidenceGrade.SOME if twice else EvidenceGrade.NONE


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _in_line(value: object) -> object:
    """An address of several parts as one text."""
    return ", ".join(filter(None, map(json_text, value.values()))) if isinstance(value, Mapping) else value
