"""One letter in SMTP: its commands, its content as it travels, and what the relay's replies mean for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from io import IncrementalNewlineDecoder
from typing import NamedTuple

from mailer.domain.delivery import Concern, Outcome, Verdict
from mailer.mail.letter import Letter
from mailer.mail.refusal import concern_of
from mailer.relay.wire import Dialogue, Reply, one_line


class Step(StrEnum):
    """The steps of one letter, in order (RFC 5321 section 3.3); the value is how the command begins."""

    RESET = "RSET"
    """Ends a transaction the letter before left open."""
    SENDER = "MAIL FROM"
    RECIPIENT = "RCPT TO"
    DATA = "DATA"
    DOT = "."
    """The content, with the dot that ends it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """What the relay said to EHLO that it can do."""

    pipelining: bool = False
    """RFC 2920."""
    size: bool = False
    """RFC 1870."""
    most_octets: int | None = None
    """The longest letter it takes, where it says."""
    smtputf8: bool = False
    """RFC 6531: addresses that are not ASCII."""


class Fate(NamedTuple):
    """What became of a letter, and how it left the line."""

    outcome: Outcome
    transaction_open: bool = False
    """The next letter has to begin with RSET."""
    unfit: str | None = None
    """Why no other letter may go over this line."""


_MAILBOX = re.compile(r"[!-;=?-~]+")
"""Printable ASCII without space and angle brackets: nothing that could end a command and begin another."""
_MAILBOX_UTF8 = re.compile(r"[!-;=?-~\u00a1-\U0010ffff]+")
"""RFC 6531 section 3.3: the same and what is not ASCII; what cannot be printed is looked for besides."""
_THIS_LETTER = re.compile(r"5\.2\.3|5\.3\.4|5\.6\.7")
"""RFC 3463 and RFC 6531: longer than the mailbox, or the system, takes; an address that is not ASCII."""


def offer_of(extensions: Mapping[str, str]) -> Offer:
    """What the lines of a reply to EHLO offer: parameters by keyword in lower case. A SIZE of 0 is no limit."""
    most = extensions.get("size", "").strip()
    return Offer(
        pipelining="pipelining" in extensions,
        size="size" in extensions,
        most_octets=int(most) or None if most.isascii() and most.isdigit() else None,
        smtputf8="smtputf8" in extensions,
    )


def unsendable(letter: Letter, offer: Offer) -> str | None:
    """Why a relay with this offer need not be asked to take the letter, in words."""
    if offer.most_octets is not None and len(letter.content) > offer.most_octets:
        return f"the letter has {len(letter.content):,} octets; the relay takes {offer.most_octets:,} at most"
    if not offer.smtputf8 and not (letter.recipient.isascii() and letter.return_path.isascii()):
        return "the address is not ASCII, and the relay does not offer SMTPUTF8 (RFC 6531)"
    return None


def envelope_commands(letter: Letter, *, size: bool, reset: bool) -> dict[Step, bytes]:
    """The commands up to DATA by step, in order; an empty return path is the null sender.

    `size` declares the letter's octets (RFC 1870), `reset` ends an open transaction first; SMTPUTF8 is asked for
    where an address is not ASCII. ValueError for an address that could be read as more than one.
    """
    sender = _mailbox(letter.return_path) if letter.return_path else ""
    recipient = _mailbox(letter.recipient)
    declared = f" SIZE={len(letter.content)}" if size else ""
    if not (sender.isascii() and recipient.isascii()):
        declared += " SMTPUTF8"
    commands = {Step.RESET: b"RSET\r\n"} if reset else {}
    commands[Step.SENDER] = f"MAIL FROM:<{sender}>{declared}\r\n".encode()
    commands[Step.RECIPIENT] = f"RCPT TO:<{recipient}>\r\n".encode()
    commands[Step.DATA] = b"DATA\r\n"
    return commands


def stuffed(content: bytes) -> bytes:
    """The content with its dots doubled and the dot that ends it (RFC 5321 section 4.5.2).

    ValueError for a bare CR or LF, which relays read differently (one may see a second letter), and for 8-bit octets.
    """
    # Two quick passes; counting CR, LF and CRLF and looking for CRLF and dot take three times as long.
    if _line_ends(content) not in {None, "\r\n"}:
        raise ValueError("a letter is ASCII, and its lines end with CRLF")
    if content.rfind(b"\r\n.") >= 0 or content.startswith(b"."):
        content = (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:]
    return content + (b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n")


def _line_ends(content: bytes) -> str | tuple[str, ...] | None:
    reader = IncrementalNewlineDecoder(None, False)
    try:
        reader.decode(content.decode("ascii"), True)
    except UnicodeDecodeError:
        return "8-bit"
    return reader.newlines


def carry(commands: dict[Step, bytes], content: bytes, offer: Offer, *, reply_s: float, dot_s: float) -> Dialogue[Fate]:
    """Offer a letter and, where it is wanted, give its content, stuffed.

    `dot_s` is the patience in seconds for the reply to the content, `reply_s` for every other. A line lost before the
    content is DEFERRED, afterwards UNKNOWN, both with code None.
    """
    fate = yield from _offer(commands, reply_s, at_once=offer.pipelining)
    return fate or (yield from _give(content, dot_s))


def farewell(patience_s: float) -> Dialogue[None]:
    """Say QUIT; whatever the answer, or none."""
    with suppress(ConnectionError):
        yield b"QUIT\r\n", patience_s


def agrees(step: Step, reply: Reply) -> bool:
    """Whether the relay goes along with this step."""
    return reply.code // 100 == (3 if step is Step.DATA else 2)


def judge(step: Step, reply: Reply) -> Outcome:
    """The outcome of a letter whose last word was this reply: to the dot, or a refusal before it.

    A 5xx is a refusal where it speaks of this letter or its reader. Where it speaks of us (always in answer to MAIL
    FROM, but for a size) the letter waits as with 4xx: it is not the reader's fault. What is no answer at all (3xx to
    RCPT TO) waits, too; to the dot it leaves the letter's fate unknown.
    """
    concern = Concern.LETTER if reply.code < 400 else concern_of(reply.code, reply.text)
    if step is Step.SENDER and reply.code >= 500 and not _is_of_this_letter(reply):
        concern = Concern.US
    return Outcome(_verdict(step, reply.code // 100, concern), reply.code, one_line(reply.text), concern)


def _verdict(step: Step, reply_class: int, concern: Concern) -> Verdict:
    if step is Step.DOT and reply_class < 4:
        return Verdict.ACCEPTED if reply_class == 2 else Verdict.UNKNOWN
    if reply_class == 5 and concern is Concern.LETTER and step is not Step.RESET:
        return Verdict.REFUSED
    return Verdict.DEFERRED


def _is_of_this_letter(reply: Reply) -> bool:
    return reply.code == 552 or _THIS_LETTER.match(reply.text) is not None


def _offer(commands: dict[Step, bytes], reply_s: float, *, at_once: bool) -> Dialogue[Fate | None]:
    """None where the relay waits for the content; in one write where it may be, else one by one until one is missed."""
    missed: tuple[Step, Reply] | None = None
    waits = False
    try:
        envelope = b"".join(commands.values()) if at_once else None
        for step, command in commands.items():
            reply = yield command if envelope is None else envelope, reply_s
            envelope = envelope and b""
            if agrees(step, reply):
                waits = step is Step.DATA
                continue
            missed = missed or (step, reply)
            if reply.code < 400:
                return Fate(judge(*missed), unfit=f"the relay answered {step} with {reply.code}")
            if not at_once:
                break
        if missed is None:
            return None
        return (yield from _part(*missed, reply_s, waits=waits))
    except ConnectionError as lost:
        return Fate(judge(*missed) if missed else Outcome(Verdict.DEFERRED, None, str(lost)))


def _part(missed: Step, reply: Reply, reply_s: float, *, waits: bool) -> Dialogue[Fate]:
    """Part from a letter that is not wanted, so that another may follow."""
    outcome = judge(missed, reply)
    if missed is Step.RESET:
        return Fate(outcome, unfit="the relay would not begin anew")
    if not waits:
        return Fate(outcome, transaction_open=missed is not Step.SENDER)
    # It waits for a content although it takes nobody: a lone dot ends that (RFC 2920 section 3.1).
    last = yield b".\r\n", reply_s
    return Fate(outcome, unfit=None if last.code // 100 != 3 else f"the relay answered {Step.DOT} with {last.code}")


def _give(content: bytes, dot_s: float) -> Dialogue[Fate]:
    try:
        reply = yield content, dot_s
    except ConnectionError as lost:
        return Fate(Outcome(Verdict.UNKNOWN, None, str(lost)))
    unfit = f"the relay answered {Step.DOT} with {reply.code}" if reply.code // 100 == 3 else None
    return Fate(judge(Step.DOT, reply), unfit=unfit)


def _mailbox(address: str) -> str:
    if not _MAILBOX.fullmatch(address) and not (_MAILBOX_UTF8.fullmatch(address) and address.isprintable()):
        raise ValueError(f"{address!r} cannot stand in an SMTP command")
    return address
