"""The envelope of a mail that was delivered already, as the fields of its header tell it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailer.mail.message.from_header import find_sole_author
from mailer.mail.message.header_section import parse_header_section

_RECIPIENT_FIELDS = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to", "cc")
_MAX_RECIPIENTS = 100
"""Addresses of our domain that are looked at in one mail."""
_QUOTED_OR_COMMENT = re.compile(r'"[^"]*"|\([^()]*\)')
_ADDRESS = re.compile(r"(?<![^\s<>(),:;])([^\s<>(),:;\"\[\]\\@]{1,64})@([A-Za-z0-9.-]{1,253})(?=$|[\s<>(),:;])")
_RETURN_PATH = re.compile(r"\s*(?:<([^<>\s]{0,320})>|([^<>\s@]{1,64}@[^<>\s@]{1,255}))\s*")


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveredEnvelope:
    """Whom a mail came from, and to which addresses of our domain; nothing in it is checked."""

    sender: str
    """Of the envelope; "" for the null one."""
    recipients: tuple[str, ...]
    """In lower case, each once, with what stands after a plus."""


def parse_delivered_envelope(mail: bytes, domain: str) -> DeliveredEnvelope:
    """Read from the header section of a mail; never fails, whatever its octets are.

    The sender is that of the topmost Return-Path (RFC 5321 section 4.4); where there is none, the one author in From.
    The recipients are those of all fields in which servers note whom they delivered to, and of To and Cc: whether a
    mailbox gets one copy for several recipients or several, each tells the same.
    """
    section = parse_header_section(mail)
    paths = section.values("return-path")
    found = _RETURN_PATH.fullmatch(paths[0]) if paths else None
    author = None if found else find_sole_author(section)
    sender = (found[1] or found[2] or "") if found else author.addr_spec if author else ""
    named: dict[str, None] = {}
    for field in _RECIPIENT_FIELDS:
        for value in section.values(field):
            for local, its_domain in _ADDRESS.findall(_QUOTED_OR_COMMENT.sub(" ", value)):
                if its_domain.lower() == domain.lower():
                    named.setdefault(f"{local}@{its_domain}".lower())
    return DeliveredEnvelope(sender=sender, recipients=tuple(named)[:_MAX_RECIPIENTS])
