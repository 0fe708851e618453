"""Bounces of listmonk's API (/api/bounces): who cannot be reached, and who complained."""

from __future__ import annotations

from collections.abc import Iterator

from mailer.domain.subscription import SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import TableRefused
from mailer.importers.bad_row import BadRow
from mailer.importers.export_times import parse_export_time
from mailer.importers.json_records import JsonRecord, find_json_keys, read_json_records
from mailer.importers.person_fields import json_text, keep_known, parse_rows, read_address
from mailer.importers.person_row import PersonRow, SuppressionEntry
from mailer.importers.source_files import SourceFile

_PLACES = ("data.results.item", "results.item", "data.item", "item", "")
_BOUNCE_KEYS = {"email", "type", "subscriber_uuid"}


def is_bounce_file(file: SourceFile) -> bool:
    """Whether a file has bounces of the API."""
    keys = find_json_keys(file, _PLACES)
    return keys is not None and keys >= _BOUNCE_KEYS


def read_bounces(file: SourceFile) -> Iterator[tuple[int, PersonRow | BadRow]]:
    """What the bounces say of their people, who are no readers by these rows alone."""
    return parse_rows(read_json_records(file, _PLACES), _parse_bounce, file.base_name)


def _parse_bounce(bounce: JsonRecord) -> PersonRow:
    address = read_address(json_text(bounce.get("email")))
    kind = json_text(bounce.get("type"))
    at = parse_export_time(json_text(bounce.get("created_at")), zone="UTC")
    evidence = {"bounce": kind, "bounce_source": json_text(bounce.get("source"))}
    if kind == "soft":
        return PersonRow(address=address, attributes={}, state=None, remarks=("letters bounced for a while",))
    if kind not in {"hard", "complaint"}:
        raise TableRefused(f"the type of the bounce is {kind!r}, which is not known here")
    complained = kind == "complaint"
    reason = SuppressionReason.COMPLAINED if complained else SuppressionReason.BOUNCED
    return PersonRow(
        address=address,
        attributes={},
        state=SubscriptionState.UNSUBSCRIBED if complained else None,
        suppressions=(SuppressionEntry(reason=reason, everywhere=complained, since=at),),
        evidence=keep_known(evidence),
    )
