"""PersonRow as octets and back, for temporary files of this process: quickly, and in no lasting format."""

from __future__ import annotations

import marshal
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from mailer.domain.address import Address
from mailer.domain.subscription import DeliveryMode, SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.importers.person_row import EvidenceGrade, ListRole, PersonRow, SuppressionEntry

_STATES = {str(one): one for one in SubscriptionState}
_MODES = {str(one): one for one in DeliveryMode}
_GRADES = {str(one): one for one in EvidenceGrade}


def pack_row(row: PersonRow) -> bytes:
    """A row as octets."""
    values: Any = (
        row.address.addr_spec,
        row.name,
        row.language,
        row.zone,
        row.attributes,
        row.state and str(row.state),
        str(row.delivery_mode),
        row.role and str(row.role),
        dict(row.preferences),
        [pack_suppression(one) for one in row.suppressions],
        row.agreed_at and row.agreed_at.isoformat(),
        row.changed_at and row.changed_at.isoformat(),
        str(row.evidence_grade),
        dict(row.evidence),
        row.remarks,
        row.source_token,
    )
    return marshal.dumps(values)


def unpack_row(packed: bytes) -> PersonRow:
    """The row again."""
    (address, name, language, zone, attributes, state, mode, role, preferences, *rest) = marshal.loads(  # noqa: S302 -- of our own file
        packed
    )
    suppressions, agreed_at, changed_at, grade, evidence, remarks, source_token = rest
    return PersonRow(
        address=Address(address),
        name=name,
        language=language,
        zone=zone,
        attributes=attributes,
        state=_STATES[state] if state else None,
        delivery_mode=_MODES[mode],
        role=ListRole(role) if role else None,
        preferences=preferences,
        suppressions=tuple(map(unpack_suppression, suppressions)),
        agreed_at=_time(agreed_at),
        changed_at=_time(changed_at),
        evidence_grade=_GRADES[grade],
        evidence=evidence,
        remarks=remarks,
        source_token=source_token,
    )


def pack_suppression(one: SuppressionEntry) -> Sequence[Any]:
    """A suppression as values that JSON has, too."""
    since, until = one.since and one.since.isoformat(), one.until and one.until.isoformat()
    return str(one.reason), one.everywhere, since, until


def unpack_suppression(packed: Sequence[Any]) -> SuppressionEntry:
    """The suppression again."""
    reason, everywhere, since, until = packed
    return SuppressionEntry(
        reason=SuppressionReason(reason), everywhere=everywhere, since=_time(since), until=_time(until)
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
