"""The envelope of a mail found in a mailbox, reconstructed from its header."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailer.mail.message.address_fields import find_sole_author
from mailer.mail.message.header_section import parse_header_section

_RECIPIENT_FIELDS = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to", "cc")
_MAX_RECIPIENTS = 100
"""Addresses of our domain that are read from one mail."""
_QUOTED_OR_COMMENT = re.compile(r'"[^"]*"|\([^()]*\)')
_ADDRESS = re.compile(r"(?<![^\s<>(),:;])([^\s<>(),:;\"\[\]\\@]{1,64})@([A-Za-z0-9.-]{1,253})(?=$|[\s<>(),:;])")
_RETURN_PATH = re.compile(r"\s*(?:<([^<>\s]{0,320})>|([^<>\s@]{1,64}@[^<>\s@]{1,255}))\s*")


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveredEnvelope:
    """The sender and the recipients at our domains, as the header says; nothing is verified."""

    sender: str
    """Envelope sender; "" for the null sender."""
    recipients: tuple[str, ...]
    """In lower case, each once, including the detail after a plus."""


def parse_delivered_envelope(mail: bytes, *domains: str) -> DeliveredEnvelope:
    """The envelope of a mail to addresses at these `domains`; never fails.

    The sender is that of the topmost Return-Path (RFC 5321 section 4.4), or without one the sole author in From. The
    recipients are all those at `domains` in the fields where servers note the recipient (Delivered-To and the like) and
    in To and Cc: whether a mailbox gets one copy for several recipients or several copies, each gives the same.
    """
    section = parse_header_section(mail)
    paths = section.values("return-path")
    found = _RETURN_PATH.fullmatch(paths[0]) if paths else None
    author = None if found else find_sole_author(section)
    sender = (found[1] or found[2] or "") if found else author.addr_spec if author else ""
    named: dict[str, None] = {}
    ours = {domain.lower() for domain in domains}
    for field in _RECIPIENT_FIELDS:
        for value in section.values(field):
            for local, its_domain in _ADDRESS.findall(_QUOTED_OR_COMMENT.sub(" ", value)):
                if its_domain.lower() in ours:
                    named.setdefault(f"{local}@{its_domain}".lower())
    return DeliveredEnvelope(sender=sender, recipients=tuple(named)[:_MAX_RECIPIENTS])
