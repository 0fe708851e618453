"""The fields of a delivery status report (RFC 3464), as many mail systems garble them: one group for each recipient."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from mailer.domain.bounce import Action
from mailer.mail.bounces.address_extraction import address_in
from mailer.mail.bounces.enhanced_status_code import code_in

_MOST_LINES, _LONGEST_LINE, _LONGEST_VALUE, _MOST_GROUPS = 2000, 1000, 2000, 100
_FIELD = re.compile(r"[ \t>|]{0,8}([A-Za-z][A-Za-z0-9-]{2,40})[ \t]{0,4}:(.*)", re.DOTALL)
_OF_RECIPIENT = frozenset({"final-recipient", "action", "status", "original-recipient", "diagnostic-code"})
_TYPE = re.compile(r"\s*[A-Za-z0-9/-]{1,40}\s*;\s*")
_ACTIONS = {
    "fail": Action.FAILED,
    "error": Action.FAILED,
    "bounce": Action.FAILED,
    "expired": Action.FAILED,
    "undeliver": Action.FAILED,
    "delay": Action.DELAYED,
    "warn": Action.DELAYED,
    "deliver": Action.DELIVERED,
    "relay": Action.RELAYED,
    "expand": Action.EXPANDED,
}
_BY_CLASS = {"2": Action.DELIVERED, "4": Action.FAILED, "5": Action.FAILED}


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusFields:
    """One recipient's."""

    address: str | None
    """As the sender wrote it, else as the last system knew it; None where there is no address but a pipe or a host."""
    action: Action | None
    status: str | None
    diagnostic: str
    """Diagnostic-Code without its type, or else the comment."""
    comment: str
    """What some put behind Status, in parentheses."""


def status_fields(text: str, written_to: Collection[str] = ()) -> list[StatusFields]:
    """The recipients of a report, each as it stands there; empty where it names none.

    `written_to` are those that the returned letter names, in lower case: a mail system may call them otherwise.
    """
    return [_of(group, written_to) for group in _groups(text)]


def holds_status(text: str) -> bool:
    """Whether a text holds the fields of a report: in mails that are not made as RFC 3464 asks."""
    names = {found[1].lower() for line in text.split("\n")[:_MOST_LINES] if (found := _FIELD.match(line[:80]))}
    return bool(names & {"final-recipient", "original-recipient"}) and bool(names & {"action", "status"})


def _of(group: Mapping[str, str], written_to: Collection[str]) -> StatusFields:
    wanted = (group.get(name, "") for name in ("original-recipient", "final-recipient", "x-actual-recipient"))
    addresses = [address for value in wanted if (address := address_in(_TYPE.sub("", value, count=1)))]
    # A mail system's own name for a mailbox often has no domain of the world's.
    address = next((each for each in addresses if each.lower() in written_to), None)
    address = address or next((each for each in addresses if "." in each.rpartition("@")[2]), None)
    stated = group.get("status", "")
    status = code_in(stated) or ("2.0.0" if stated.strip().startswith("2") else None)
    word = group.get("action", "").strip().lower()
    action = next((action for begins, action in _ACTIONS.items() if word.startswith(begins)), None)
    comment = stated.partition("(")[2].rstrip(") ")
    said = _TYPE.sub("", group.get("diagnostic-code", ""), count=1).strip()
    return StatusFields(
        address=address or next(iter(addresses), None),
        action=action or (_BY_CLASS[status[0]] if status else None),
        status=status,
        diagnostic=said or comment,
        comment=comment,
    )


def _groups(text: str) -> list[dict[str, str]]:
    """Split at blank lines, and where a recipient's field comes a second time, for some leave the blank line out."""
    groups: list[dict[str, str]] = []
    group: dict[str, str] = {}
    for name, value in (*_fields(text), ("", "")):
        told = _OF_RECIPIENT & group.keys()
        whole = "final-recipient" in told and len(told) > 1
        if (name == "" and whole) or (name in group and name in _OF_RECIPIENT and (whole or name.endswith("ient"))):
            groups.append(group)
            group = {}
        elif name == "" and not told:
            # The fields of the whole report are nobody's.
            group = {}
        if name:
            group.setdefault(name, value)
    if _OF_RECIPIENT & group.keys():
        groups.append(group)
    return groups[:_MOST_GROUPS]


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Names in lower case and unfolded values; ("", "") for a blank line."""
    name, value = "", ""
    for line in (each[:_LONGEST_LINE] for each in text.split("\n")[:_MOST_LINES]):
        found = _FIELD.match(line) if line[:1] not in " \t" else None
        if found or not line.strip(" \t>"):
            if name:
                yield name, value
            name, value = (found[1].lower(), found[2]) if found else ("", "")
            if not found:
                yield "", ""
        elif name and len(value) < _LONGEST_VALUE:
            value += " " + line.strip()
    if name:
        yield name, value
