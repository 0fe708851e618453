"""Members, owners, editors and exclusions of a Sympa list as rows."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import datetime

from mailer.domain.subscription import DeliveryMode, SubscriptionState
from mailer.domain.suppression import SuppressionReason
from mailer.errors import TableRefused
from mailer.importers.discussion.sympa_files.paragraphs import SympaRecord
from mailer.importers.export_times import parse_export_time
from mailer.importers.member_row import clean_name, read_address, suppress
from mailer.importers.person_row import EvidenceGrade, ListRole, PersonRow, SuppressionEntry

_BOUNCE_LIMIT = 45.0
"""The score from which Sympa counts a member as bouncing, unless its bouncers_level1 says another."""
_NO_MAILBOX = "5.1."
_MODES = {
    "digest": DeliveryMode.DIGEST_MIME,
    "digestplain": DeliveryMode.DIGEST_PLAIN,
    "summary": DeliveryMode.DIGEST,
}
_NO_LETTERS = "nomail"
_ATTRIBUTE = re.compile(
    r"""<custom_attribute\s+id=(?:"([^"]*)"|'([^']*)')[^>]*>\s*<value>(.*?)</value>\s*</custom_attribute>""", re.DOTALL
)
_MAX_VALUE = 500


def read_sympa_member(record: SympaRecord, zone: str | None) -> PersonRow:
    """The row of a member. `zone` is that of times that say none. Raises TableRefused."""
    address = read_address(record.get("email", ""))
    attributes, remarks = _attributes(record)
    evidence: dict[str, str] = {}
    joined_at = _time(record, "date", zone, evidence)
    is_own_word = record.get("subscribed", "0" if _is_included(record) else "1") == "1"
    if not is_own_word:
        source = record.get("inclusion_label") or record.get("include_sources") or "a data source"
        evidence["source"] = source
        remarks.append(f"from a data source ({source}), not by the person's own word: gets no letters until asked")
    suppressions, words = _suppressions(record, zone, is_own_word=is_own_word)
    reception = record.get("reception", "").strip().lower()
    if words:
        remarks.append(words)
    if reception == "notice":
        remarks.append("got only the subjects of letters")
    return PersonRow(
        address=address,
        name=clean_name(record.get("gecos")),
        attributes=attributes,
        delivery_mode=_MODES.get(reception, DeliveryMode.EACH),
        preferences={"own_posts": False} if reception == "not_me" else {},
        suppressions=suppressions,
        agreed_at=joined_at if is_own_word else None,
        evidence_grade=EvidenceGrade.SOME if joined_at and is_own_word else EvidenceGrade.NONE,
        evidence=evidence,
        remarks=tuple(remarks),
    )


def read_sympa_admin(record: SympaRecord, role: ListRole) -> PersonRow:
    """The row of an owner or editor. Raises TableRefused."""
    return PersonRow(
        address=read_address(record.get("email", "")),
        name=clean_name(record.get("gecos")),
        attributes={},
        state=None,
        role=role,
    )


def read_sympa_exclusion(record: SympaRecord, zone: str | None) -> PersonRow:
    """The row of somebody who left though a data source goes on naming the person. Raises TableRefused."""
    evidence = {"reason": "excluded"}
    return PersonRow(
        address=read_address(record.get("email", "")),
        attributes={},
        state=SubscriptionState.UNSUBSCRIBED,
        changed_at=_time(record, "date", zone, evidence),
        evidence=evidence,
    )


def _is_included(record: SympaRecord) -> bool:
    return bool(record.get("inclusion")) or record.get("included") == "1"


def _time(record: Mapping[str, str], key: str, zone: str | None, evidence: dict[str, str]) -> datetime | None:
    """A time; its text becomes evidence where it has no zone, or is none."""
    text = record.get(key, "")
    found = parse_export_time(text, zone=zone) if text and text != "0" else None
    if text and found is None:
        evidence[key] = text
    return found


def _suppressions(
    record: SympaRecord, zone: str | None, *, is_own_word: bool
) -> tuple[tuple[SuppressionEntry, ...], str]:
    """What keeps letters from a member, and words on bounces."""
    found: tuple[SuppressionEntry, ...] = ()
    bounced_at, is_bouncing, words = _bounces(record, zone)
    if is_bouncing:
        found += suppress(SuppressionReason.BOUNCED, since=bounced_at)
    if record.get("reception", "").strip().lower() == _NO_LETTERS or not is_own_word:
        return found + suppress(SuppressionReason.PAUSED), words
    if record.get("suspend") == "1":
        since, until = (_time(record, key, zone, {}) for key in ("startdate", "enddate"))
        found += suppress(SuppressionReason.PAUSED, since=since, until=until)
    return found, words


def _bounces(record: SympaRecord, zone: str | None) -> tuple[datetime | None, bool, str]:
    """When the latest bounce came, whether letters are to stop, and words: `first last count code`, and a score."""
    _, last, _, code = (*record.get("bounce", "").split(), "", "", "", "")[:4]
    text = record.get("bounce_score", "")
    try:
        score = float(text) if text else None
    except ValueError:
        score = None
    is_bouncing = (score or 0) >= _BOUNCE_LIMIT or code.startswith(_NO_MAILBOX)
    is_bouncing |= score is None and code.startswith("5")
    words = ", ".join(filter(None, (f"bounce score {text}" if score else "", code)))
    return parse_export_time(last, zone=zone) if last else None, is_bouncing, words


def _attributes(record: SympaRecord) -> tuple[dict[str, str], list[str]]:
    """The custom attributes, which dumps hold once or twice, as XML."""
    attributes: dict[str, str] = {}
    remarks = []
    for key in ("custom_attribute", "attrib"):
        for double, single, value in _ATTRIBUTE.findall(record.get(key, "")):
            name = html.unescape(double or single).strip()
            text = " ".join(html.unescape(value).split())
            if len(text) > _MAX_VALUE:
                remarks.append(f"{name} has more than {_MAX_VALUE} characters: left out")
            elif name and text:
                attributes[name] = text
    return attributes, list(dict.fromkeys(remarks))


def require_email(record: SympaRecord) -> SympaRecord:
    """The record, if it says whose it is. Raises TableRefused."""
    if not record.get("email"):
        raise TableRefused("has no email")
    return record
