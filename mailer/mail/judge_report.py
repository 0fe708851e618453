"""What a report says: that a letter bounced, is late, or was complained of (RFC 3464, RFC 5965)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from mailer.mail.mime import Part, leaves, split_mail

_STATUS = {"message/delivery-status", "message/global-delivery-status"}
_FEEDBACK = "message/feedback-report"
_ADDRESS = re.compile(r"[^\s<>;,\"]+@[^\s<>;,\"]+")
_BLOCKS, _MOST = re.compile(r"\n[ \t]*\n"), 100
"""Between recipients stands a blank line; more than so many are not looked at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """The verdict on a report."""

    kind: Literal["bounce", "delay", "complaint"]
    recipients: tuple[str, ...]
    """Whom it is about, as the report writes them."""
    complaint_type: str | None = None
    """`abuse`, `not-spam` and kin (RFC 5965 section 7.3); None for what is no complaint."""
    why: str
    """What decided, in a sentence."""


def judge_report(mail: Part) -> Report | None:
    """What a mail reports, or None where it is no report of a bounce, a delay or a complaint."""
    for part in leaves(mail):
        if part.kind in _STATUS and (report := _status(part)) is not None:
            return report
        if part.kind == _FEEDBACK:
            return _complaint(part)
    if failed := _addresses(mail.fields.get("x-failed-recipients", "")):
        return Report(kind="bounce", recipients=failed, why="The field X-Failed-Recipients names who was not reached.")
    return None


def _status(part: Part) -> Report | None:
    failed: list[str] = []
    delayed: list[str] = []
    actions: set[str] = set()
    for block in _BLOCKS.split(part.text.replace("\r\n", "\n").replace("\r", "\n"))[:_MOST]:
        fields = split_mail(block.encode("utf-8", "replace").strip() + b"\n\n").fields
        action = fields.get("action", "").split("(")[0].strip().lower()
        actions.add(action)
        told = _addresses(fields.get("final-recipient", "")) or _addresses(fields.get("original-recipient", ""))
        {"failed": failed, "delayed": delayed}.get(action, []).extend(told)
    if "failed" in actions:
        return Report(kind="bounce", recipients=_once(failed), why="A delivery report says that delivery failed.")
    if "delayed" in actions:
        why = "A delivery report says that delivery is delayed and will be tried again."
        return Report(kind="delay", recipients=_once(delayed), why=why)
    return None


def _complaint(part: Part) -> Report:
    fields = split_mail(part.text.lstrip().encode("utf-8", "replace").rstrip() + b"\n\n").fields
    kind = re.sub(r"[^a-z-]", "", fields.get("feedback-type", "").lower())[:40] or "abuse"
    told = [*_addresses(fields.get("original-rcpt-to", "")), *_addresses(fields.get("removal-recipient", ""))]
    why = f"A feedback report of the type {kind} came from a mailbox provider."
    return Report(kind="complaint", recipients=_once(told), complaint_type=kind, why=why)


def _addresses(value: str) -> tuple[str, ...]:
    return tuple(_ADDRESS.findall(value))[:_MOST]


def _once(addresses: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(addresses))
