"""One letter in SMTP: its commands, its content as it travels, and what the relay's replies mean for it."""

from __future__ import annotations

import re
from enum import StrEnum

from mailer.domain.delivery import Outcome, Verdict
from mailer.mail.letter import Letter
from mailer.relay.wire import Reply, one_line


class Step(StrEnum):
    """The steps of one letter, in order (RFC 5321 section 3.3); the value is how the command begins."""

    RESET = "RSET"
    """Ends a transaction the letter before left open."""
    SENDER = "MAIL FROM"
    RECIPIENT = "RCPT TO"
    DATA = "DATA"
    DOT = "."
    """The content, with the dot that ends it."""


_WANTED = {Step.DATA: 3}
"""First digit of the reply by which the relay agrees, where it is not 2."""
_TOO_LARGE = re.compile(r"5\.2\.3|5\.3\.4")
"""RFC 3463: longer than the mailbox, or the system, takes."""
_MAILBOX = re.compile(r"[!-;=?-~]+")
"""Printable ASCII without space and angle brackets: nothing that could end a command and begin another."""


def envelope_commands(letter: Letter, *, size: bool, reset: bool) -> dict[Step, bytes]:
    """The commands up to DATA by step, in order; an empty return path is the null sender.

    `size` declares the letter's octets (RFC 1870), `reset` ends an open transaction first. ValueError for an address
    that could be read as more than one.
    """
    sender = _mailbox(letter.return_path) if letter.return_path else ""
    declared = f" SIZE={len(letter.content)}" if size else ""
    commands = {Step.RESET: b"RSET\r\n"} if reset else {}
    commands[Step.SENDER] = f"MAIL FROM:<{sender}>{declared}\r\n".encode("ascii")
    commands[Step.RECIPIENT] = f"RCPT TO:<{_mailbox(letter.recipient)}>\r\n".encode("ascii")
    commands[Step.DATA] = b"DATA\r\n"
    return commands


def stuffed(content: bytes) -> bytes:
    """The content with its dots doubled and the dot that ends it (RFC 5321 section 4.5.2).

    ValueError for a bare CR or LF, which relays read differently (one may see a second letter), and for 8-bit octets.
    """
    if not content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r") or not content.isascii():
        raise ValueError("a letter is ASCII, and its lines end with CRLF")
    if not content.endswith(b"\r\n"):
        content += b"\r\n"
    first = b"." if content.startswith(b".") else b""
    return first + content.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def agrees(step: Step, reply: Reply) -> bool:
    """Whether the relay goes along with this step."""
    return reply.code // 100 == _WANTED.get(step, 2)


def judge(step: Step, reply: Reply) -> Outcome:
    """The outcome of a letter whose last word was this reply: to the dot, or a refusal before it.

    5xx to MAIL FROM speaks of our sender, not of this person, so it waits like 4xx; but a size speaks of the letter.
    What is no answer at all (3xx to RCPT TO) waits, too; to the dot it leaves the letter's fate unknown.
    """
    return Outcome(_verdict(step, reply), reply.code, one_line(reply.text))


def _verdict(step: Step, reply: Reply) -> Verdict:
    match reply.code // 100:
        case 2 if step is Step.DOT:
            return Verdict.ACCEPTED
        case 5 if step in {Step.RECIPIENT, Step.DATA, Step.DOT} or _is_size(reply):
            return Verdict.REFUSED
        case 2 | 3 if step is Step.DOT:
            return Verdict.UNKNOWN
        case _:
            return Verdict.DEFERRED


def _is_size(reply: Reply) -> bool:
    return reply.code == 552 or _TOO_LARGE.match(reply.text) is not None


def _mailbox(address: str) -> str:
    if not _MAILBOX.fullmatch(address):
        raise ValueError(f"{address!r} cannot stand in an SMTP command")
    return address
