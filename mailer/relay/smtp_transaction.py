"""One letter in SMTP: its commands, its content as it travels, and how it is offered and given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from io import IncrementalNewlineDecoder
from typing import NamedTuple

from mailer.domain.delivery import Concern, RelayOutcome, Verdict
from mailer.mail.message.letter import Letter
from mailer.relay.classify_reply import OPENING_STEPS, Step, classify_reply, is_about_session, is_positive_reply
from mailer.relay.smtp_protocol import Dialogue, Reply


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerExtensions:
    """What the relay said to EHLO that it can do."""

    pipelining: bool = False
    """RFC 2920."""
    size: bool = False
    """RFC 1870."""
    max_octets: int | None = None
    """The longest letter it takes, where it says."""
    smtputf8: bool = False
    """RFC 6531: addresses that are not ASCII."""


class SmtpResult(NamedTuple):
    """What became of a letter, and how it left the line."""

    outcome: RelayOutcome
    transaction_open: bool = False
    """The next letter has to begin with RSET."""
    close_reason: str | None = None
    """Why no other letter may go over this line."""
    is_exhausted: bool = False
    """The relay wants no more letters over this line: it says nothing of this one, which may go over another."""


_MAILBOX = re.compile(r"[!-;=?-~]+")
"""Printable ASCII without space and angle brackets: nothing that could end a command and begin another."""
_MAILBOX_UTF8 = re.compile(r"[!-;=?-~\u00a1-\U0010ffff]+")
"""RFC 6531 section 3.3: the same and what is not ASCII; what cannot be printed is looked for besides."""


def parse_extensions(extensions: Mapping[str, str]) -> ServerExtensions:
    """What the lines of a reply to EHLO offer: parameters by keyword in lower case. A SIZE of 0 is no limit."""
    most = extensions.get("size", "").strip()
    return ServerExtensions(
        pipelining="pipelining" in extensions,
        size="size" in extensions,
        max_octets=int(most) or None if most.isascii() and most.isdigit() else None,
        smtputf8="smtputf8" in extensions,
    )


def unsendable_reason(letter: Letter, extensions: ServerExtensions) -> str | None:
    """Why a relay with this offer need not be asked to take the letter, in words."""
    if extensions.max_octets is not None and len(letter.content) > extensions.max_octets:
        return f"the letter has {len(letter.content):,} octets; the relay takes {extensions.max_octets:,} at most"
    if not extensions.smtputf8 and not (letter.recipient.isascii() and letter.return_path.isascii()):
        return "the address is not ASCII, and the relay does not offer SMTPUTF8 (RFC 6531)"
    return None


def envelope_commands(letter: Letter, *, size: bool, reset: bool) -> dict[Step, bytes]:
    """The commands up to DATA by step, in order; an empty return path is the null sender.

    `size` declares the letter's octets (RFC 1870), `reset` ends an open transaction first; SMTPUTF8 is asked for
    where an address is not ASCII. ValueError for an address that could be read as more than one.
    """
    sender = _check_mailbox(letter.return_path) if letter.return_path else ""
    recipient = _check_mailbox(letter.recipient)
    declared = f" SIZE={len(letter.content)}" if size else ""
    if not (sender.isascii() and recipient.isascii()):
        declared += " SMTPUTF8"
    commands = {Step.RESET: b"RSET\r\n"} if reset else {}
    commands[Step.SENDER] = f"MAIL FROM:<{sender}>{declared}\r\n".encode()
    commands[Step.RECIPIENT] = f"RCPT TO:<{recipient}>\r\n".encode()
    commands[Step.DATA] = b"DATA\r\n"
    return commands


def dot_stuff(content: bytes) -> bytes:
    """The content with its dots doubled and the dot that ends it (RFC 5321 section 4.5.2).

    ValueError for a bare CR or LF, which relays read differently (one may see a second letter), and for 8-bit octets.
    """
    # Two quick passes; counting CR, LF and CRLF and looking for CRLF and dot take three times as long.
    if _line_endings(content) not in {None, "\r\n"}:
        raise ValueError("a letter is ASCII, and its lines end with CRLF")
    if content.rfind(b"\r\n.") >= 0 or content.startswith(b"."):
        content = (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:]
    return content + (b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n")


def _line_endings(content: bytes) -> str | tuple[str, ...] | None:
    reader = IncrementalNewlineDecoder(None, False)
    try:
        reader.decode(content.decode("ascii"), True)
    except UnicodeDecodeError:
        return "8-bit"
    return reader.newlines


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplyTimeouts:
    """How many seconds to wait for a reply."""

    first_s: float
    """For the one to the first command."""
    reply_s: float
    """For every other,"""
    content_s: float
    """but for the one to the content."""


def run_transaction(
    commands: dict[Step, bytes], content: bytes, extensions: ServerExtensions, timeouts: ReplyTimeouts, *, reused: bool
) -> Dialogue[SmtpResult]:
    """Offer a letter and, where it is wanted, give its content, stuffed.

    A line lost before the content is UNTRIED, afterwards UNKNOWN, both with code None. On a line that is `used`, over
    which letters went before, the relay may have had enough of it: the fate says so.
    """
    fate = yield from _send_envelope(commands, timeouts, pipelined=extensions.pipelining, reused=reused)
    return fate or (yield from _send_content(content, timeouts.content_s, reused=reused))


def quit_session(timeout_s: float) -> Dialogue[None]:
    """Say QUIT; whatever the answer, or none."""
    with suppress(ConnectionError):
        yield b"QUIT\r\n", timeout_s


def _send_envelope(
    commands: dict[Step, bytes], timeouts: ReplyTimeouts, *, pipelined: bool, reused: bool
) -> Dialogue[SmtpResult | None]:
    """None where the relay waits for the content; in one write where it may be, else one by one until one is missed."""
    missed: tuple[Step, Reply] | None = None
    waits, step, wait_s = False, Step.SENDER, timeouts.first_s
    try:
        envelope = b"".join(commands.values()) if pipelined else None
        for step, command in commands.items():
            reply = yield command if envelope is None else envelope, wait_s
            envelope, wait_s = envelope and b"", timeouts.reply_s
            if is_positive_reply(step, reply):
                waits = step is Step.DATA
                continue
            missed = missed or (step, reply)
            if reply.code < 400:
                return SmtpResult(classify_reply(*missed), close_reason=f"the relay answered {step} with {reply.code}")
            if not pipelined:
                break
        if missed is None:
            return None
        return (
            yield from _abandon_letter(
                *missed, timeouts.reply_s, awaits_content=waits, is_exhausted=reused and is_about_session(*missed)
            )
        )
    except ConnectionError as lost:
        if missed:
            return SmtpResult(classify_reply(*missed), is_exhausted=reused and is_about_session(*missed))
        # A line that carried letters and ends is no word on our pace; one that ends before its first letter is.
        concern = Concern.LETTER if reused else Concern.THROTTLE
        untried = RelayOutcome(Verdict.UNTRIED, None, str(lost), concern, by_relay=True)
        return SmtpResult(untried, is_exhausted=reused and step in OPENING_STEPS)


def _abandon_letter(
    missed: Step, reply: Reply, reply_s: float, *, awaits_content: bool, is_exhausted: bool
) -> Dialogue[SmtpResult]:
    """Part from a letter that is not wanted, so that another may follow."""
    outcome = classify_reply(missed, reply)
    if missed is Step.RESET:
        return SmtpResult(outcome, close_reason="the relay would not begin anew", is_exhausted=is_exhausted)
    if not awaits_content:
        return SmtpResult(outcome, transaction_open=missed is not Step.SENDER, is_exhausted=is_exhausted)
    # It waits for a content although it takes nobody: a lone dot ends that (RFC 2920 section 3.1).
    last = yield b".\r\n", reply_s
    unfit = None if last.code // 100 != 3 else f"the relay answered {Step.DOT} with {last.code}"
    return SmtpResult(outcome, close_reason=unfit, is_exhausted=is_exhausted)


def _send_content(content: bytes, timeout_s: float, *, reused: bool) -> Dialogue[SmtpResult]:
    try:
        reply = yield content, timeout_s
    except ConnectionError as lost:
        return SmtpResult(RelayOutcome(Verdict.UNKNOWN, None, str(lost)))
    unfit = f"the relay answered {Step.DOT} with {reply.code}" if reply.code // 100 == 3 else None
    return SmtpResult(
        classify_reply(Step.DOT, reply), close_reason=unfit, is_exhausted=reused and is_about_session(Step.DOT, reply)
    )


def _check_mailbox(address: str) -> str:
    if not _MAILBOX.fullmatch(address) and not (_MAILBOX_UTF8.fullmatch(address) and address.isprintable()):
        raise ValueError(f"{address!r} cannot stand in an SMTP command")
    return address
