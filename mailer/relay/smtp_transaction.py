"""One letter in SMTP: its commands, its dot-stuffed content, and the dialogue that sends it (RFC 5321 section 3.3)."""

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
    """The extensions that the relay announced in its reply to EHLO."""

    pipelining: bool = False
    """RFC 2920."""
    size: bool = False
    """RFC 1870."""
    max_octets: int | None = None
    """The longest letter it takes, if it says so."""
    smtputf8: bool = False
    """RFC 6531: it takes addresses that are not ASCII."""


class SmtpResult(NamedTuple):
    """A letter's outcome, and the state in which it left the connection."""

    outcome: RelayOutcome
    transaction_open: bool = False
    """Whether the next letter has to begin with RSET."""
    close_reason: str | None = None
    """Why the connection must be closed; None if it can be reused."""
    is_exhausted: bool = False
    """Whether the relay takes no more letters over this connection; the outcome then says nothing about the letter."""


_MAILBOX = re.compile(r"[!-;=?-~]+")
"""Printable ASCII without space and angle brackets: nothing that could end a command and begin another one."""
_MAILBOX_UTF8 = re.compile(r"[!-;=?-~\u00a1-\U0010ffff]+")
"""The same and non-ASCII characters (RFC 6531 section 3.3); unprintable ones are checked separately."""


def parse_extensions(extensions: Mapping[str, str]) -> ServerExtensions:
    """Parse the extensions of a reply to EHLO: parameters by lower-case keyword. A SIZE of 0 means no limit."""
    most = extensions.get("size", "").strip()
    return ServerExtensions(
        pipelining="pipelining" in extensions,
        size="size" in extensions,
        max_octets=int(most) or None if most.isascii() and most.isdigit() else None,
        smtputf8="smtputf8" in extensions,
    )


def unsendable_reason(letter: Letter, extensions: ServerExtensions) -> str | None:
    """Why a relay with these extensions cannot take the letter; None if it can."""
    if extensions.max_octets is not None and len(letter.content) > extensions.max_octets:
        return f"the letter has {len(letter.content):,} octets; the relay takes {extensions.max_octets:,} at most"
    if not extensions.smtputf8 and not (letter.recipient.isascii() and letter.return_path.isascii()):
        return "the address is not ASCII, and the relay does not offer SMTPUTF8 (RFC 6531)"
    return None


def envelope_commands(letter: Letter, *, size: bool, reset: bool) -> dict[Step, bytes]:
    """The commands up to DATA by step, in order; an empty return path is the null sender.

    `size` declares the letter's octets (RFC 1870), `reset` ends an open transaction first. SMTPUTF8 is requested if an
    address is not ASCII. Raises ValueError for an address that could be read as more than one argument.
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
    """Double leading dots and append the final dot (RFC 5321 section 4.5.2).

    Raises ValueError for 8-bit octets, and for a bare CR or LF, which relays read differently (SMTP smuggling).
    """
    # Two quick passes; counting CR, LF and CRLF and searching for CRLF and dot takes three times as long.
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
    """Seconds to wait for a reply."""

    first_s: float
    """To the first command."""
    reply_s: float
    """To every other command."""
    content_s: float
    """To the content."""


def run_transaction(
    commands: dict[Step, bytes], content: bytes, extensions: ServerExtensions, timeouts: ReplyTimeouts, *, reused: bool
) -> Dialogue[SmtpResult]:
    """Send the envelope and, if the relay agrees, the dot-stuffed content.

    A connection lost before the content gives UNTRIED, afterwards UNKNOWN, both with code None. On a `reused`
    connection, which sent letters before, the result may say that the relay takes no more over it.
    """
    result = yield from _send_envelope(commands, timeouts, pipelined=extensions.pipelining, reused=reused)
    return result or (yield from _send_content(content, timeouts.content_s, reused=reused))


def quit_session(timeout_s: float) -> Dialogue[None]:
    """Send QUIT and ignore the reply, or that there is none."""
    with suppress(ConnectionError):
        yield b"QUIT\r\n", timeout_s


def _send_envelope(
    commands: dict[Step, bytes], timeouts: ReplyTimeouts, *, pipelined: bool, reused: bool
) -> Dialogue[SmtpResult | None]:
    """Send the commands, together if `pipelined`; None if the relay waits for the content, else the result."""
    refusal: tuple[Step, Reply] | None = None
    awaits_content, step, wait_s = False, Step.SENDER, timeouts.first_s
    try:
        envelope = b"".join(commands.values()) if pipelined else None
        for step, command in commands.items():
            reply = yield command if envelope is None else envelope, wait_s
            envelope, wait_s = envelope and b"", timeouts.reply_s
            if is_positive_reply(step, reply):
                awaits_content = step is Step.DATA
                continue
            refusal = refusal or (step, reply)
            if reply.code < 400:
                return SmtpResult(classify_reply(*refusal), close_reason=f"the relay answered {step} with {reply.code}")
            if not pipelined:
                break
        if refusal is None:
            return None
        return (
            yield from _abandon_letter(
                *refusal,
                timeouts.reply_s,
                awaits_content=awaits_content,
                is_exhausted=reused and is_about_session(*refusal),
            )
        )
    except ConnectionError as error:
        if refusal:
            return SmtpResult(classify_reply(*refusal), is_exhausted=reused and is_about_session(*refusal))
        # A reused connection that ends says nothing about our rate; one that ends before its first letter does.
        concern = Concern.LETTER if reused else Concern.THROTTLE
        untried = RelayOutcome(Verdict.UNTRIED, None, str(error), concern, by_relay=True)
        return SmtpResult(untried, is_exhausted=reused and step in OPENING_STEPS)


def _abandon_letter(
    refused: Step, reply: Reply, reply_s: float, *, awaits_content: bool, is_exhausted: bool
) -> Dialogue[SmtpResult]:
    """End the transaction of a letter that was refused at this step, so that another letter can follow."""
    outcome = classify_reply(refused, reply)
    if refused is Step.RESET:
        return SmtpResult(outcome, close_reason="the relay did not accept RSET", is_exhausted=is_exhausted)
    if not awaits_content:
        return SmtpResult(outcome, transaction_open=refused is not Step.SENDER, is_exhausted=is_exhausted)
    # The relay waits for content although it accepted no recipient: a lone dot ends that (RFC 2920 section 3.1).
    last = yield b".\r\n", reply_s
    close_reason = None if last.code // 100 != 3 else f"the relay answered {Step.DOT} with {last.code}"
    return SmtpResult(outcome, close_reason=close_reason, is_exhausted=is_exhausted)


def _send_content(content: bytes, timeout_s: float, *, reused: bool) -> Dialogue[SmtpResult]:
    try:
        reply = yield content, timeout_s
    except ConnectionError as error:
        return SmtpResult(RelayOutcome(Verdict.UNKNOWN, None, str(error)))
    close_reason = f"the relay answered {Step.DOT} with {reply.code}" if reply.code // 100 == 3 else None
    return SmtpResult(
        classify_reply(Step.DOT, reply),
        close_reason=close_reason,
        is_exhausted=reused and is_about_session(Step.DOT, reply),
    )


def _check_mailbox(address: str) -> str:
    if not _MAILBOX.fullmatch(address) and not (_MAILBOX_UTF8.fullmatch(address) and address.isprintable()):
        raise ValueError(f"{address!r} cannot stand in an SMTP command")
    return address
