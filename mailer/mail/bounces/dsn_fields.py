"""The recipients' fields of a delivery status notification (RFC 3464), also as mail systems garble them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from mailer.domain.bounce import DsnAction
from mailer.mail.bounces.address_extraction import find_last_address
from mailer.mail.bounces.enhanced_status_code import find_enhanced_code

_MAX_LINES, _MAX_LINE_LENGTH, _MAX_VALUE_LENGTH, _MAX_GROUPS = 2000, 1000, 2000, 100
_FIELD = re.compile(r"[ \t>|]{0,8}([A-Za-z][A-Za-z0-9-]{2,40})[ \t]{0,4}:(.*)", re.DOTALL)
_RECIPIENT_FIELDS = frozenset({"final-recipient", "action", "status", "original-recipient", "diagnostic-code"})
_TYPE_PREFIX = re.compile(r"\s*[A-Za-z0-9/-]{1,40}\s*;\s*")
_ACTION_BY_WORD = {
    "fail": DsnAction.FAILED,
    "error": DsnAction.FAILED,
    "bounce": DsnAction.FAILED,
    "expired": DsnAction.FAILED,
    "undeliver": DsnAction.FAILED,
    "delay": DsnAction.DELAYED,
    "warn": DsnAction.DELAYED,
    "deliver": DsnAction.DELIVERED,
    "relay": DsnAction.RELAYED,
    "expand": DsnAction.EXPANDED,
}
_ACTION_BY_CLASS = {"2": DsnAction.DELIVERED, "4": DsnAction.FAILED, "5": DsnAction.FAILED}


@dataclass(frozen=True, kw_only=True, slots=True)
class DsnRecipient:
    """The fields of one recipient."""

    address: str | None
    """As the sender wrote it, else as the last mail system knew it; None where a pipe or a host stands for it."""
    action: DsnAction | None
    status: str | None
    diagnostic: str
    """Diagnostic-Code without its type, else the comment."""
    comment: str
    """The text in parentheses that some mail systems put after Status."""


def parse_dsn_recipients(text: str, original_recipients: Collection[str] = ()) -> list[DsnRecipient]:
    """The recipients of a report in its order; empty where it names none.

    `original_recipients` are those that the returned letter names, in lower case: of several addresses in a group one
    of these is preferred.
    """
    return [_parse_recipient(group, original_recipients) for group in _split_recipient_groups(text)]


def has_dsn_fields(text: str) -> bool:
    """Whether a text holds a report's fields, as mails do that put the report into their text part."""
    names = {found[1].lower() for line in text.split("\n")[:_MAX_LINES] if (found := _FIELD.match(line[:80]))}
    return bool(names & {"final-recipient", "original-recipient"}) and bool(names & {"action", "status"})


def _parse_recipient(group: Mapping[str, str], original_recipients: Collection[str]) -> DsnRecipient:
    values = (group.get(name, "") for name in ("original-recipient", "final-recipient", "x-actual-recipient"))
    addresses = [address for value in values if (address := find_last_address(_TYPE_PREFIX.sub("", value, count=1)))]
    # A mail system's internal name for a mailbox often has no public domain.
    address = next((each for each in addresses if each.lower() in original_recipients), None)
    address = address or next((each for each in addresses if "." in each.rpartition("@")[2]), None)
    status_field = group.get("status", "")
    status = find_enhanced_code(status_field) or ("2.0.0" if status_field.strip().startswith("2") else None)
    action_word = group.get("action", "").strip().lower()
    action = next((action for begins, action in _ACTION_BY_WORD.items() if action_word.startswith(begins)), None)
    comment = status_field.partition("(")[2].rstrip(") ")
    diagnostic = _TYPE_PREFIX.sub("", group.get("diagnostic-code", ""), count=1).strip()
    return DsnRecipient(
        address=address or next(iter(addresses), None),
        action=action or (_ACTION_BY_CLASS[status[0]] if status else None),
        status=status,
        diagnostic=diagnostic or comment,
        comment=comment,
    )


def _split_recipient_groups(text: str) -> list[dict[str, str]]:
    """One group of fields for each recipient: split at blank lines, and where a field comes a second time."""
    groups: list[dict[str, str]] = []
    group: dict[str, str] = {}
    for name, value in (*_unfold_fields(text), ("", "")):
        present = _RECIPIENT_FIELDS & group.keys()
        complete = "final-recipient" in present and len(present) > 1
        if (name == "" and complete) or (
            name in group and name in _RECIPIENT_FIELDS and (complete or name.endswith("ient"))
        ):
            groups.append(group)
            group = {}
        elif name == "" and not present:
            # These are the fields of the whole report.
            group = {}
        if name:
            group.setdefault(name, value)
    if _RECIPIENT_FIELDS & group.keys():
        groups.append(group)
    return groups[:_MAX_GROUPS]


def _unfold_fields(text: str) -> Iterator[tuple[str, str]]:
    """Names in lower case and unfolded values; ("", "") for a blank line."""
    name, value = "", ""
    for line in (each[:_MAX_LINE_LENGTH] for each in text.split("\n")[:_MAX_LINES]):
        found = _FIELD.match(line) if line[:1] not in " \t" else None
        if found or not line.strip(" \t>"):
            if name:
                yield name, value
            name, value = (found[1].lower(), found[2]) if found else ("", "")
            if not found:
                yield "", ""
        elif name and len(value) < _MAX_VALUE_LENGTH:
            value += " " + line.strip()
    if name:
        yield name, value
