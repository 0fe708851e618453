"""What receivers of bulk mail ask of a letter, checked on its octets as they are handed to the relay.

Sources: RFC 5321, 5322, 2045, 2046, 2369, 2919, 8058, 6376, 8301, 9477, and the sender guidelines of Gmail and Yahoo
(2024). Each check yields one line for each fault it finds; a letter without faults yields nothing.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from urllib.parse import urlsplit

import html5lib

from mailer.mail.markdown.line_breaking import display_width

MAX_HEADER_OCTETS = 16_384
MAX_HTML_OCTETS = 100_000
"""Gmail cuts off longer HTML."""
ONCE = ("From", "Date", "Message-ID", "Subject", "To", "MIME-Version", "Content-Type")
AT_MOST_ONCE = (
    *("Sender", "Reply-To", "Cc", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Content-Transfer-Encoding"),
    *("Auto-Submitted", "CFBL-Address", "CFBL-Feedback-ID", "Feedback-ID", "Precedence"),
)
_HEADER_LINE = re.compile(rb"[!-9;-~]+:[ \t]?.*|[ \t]+\S.*", re.DOTALL)
_ADDRESS = re.compile(r"[^@\s<>]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}")
_MESSAGE_ID = re.compile(r"<[^<>@\s]+@([^<>@\s]+)>")
_ACTIVE = re.compile(
    r"<(?:script|form|iframe|object|embed)\b|<[^>]*\s(?:on\w+\s*=|href\s*=\s*[\"']?\s*javascript:)", re.IGNORECASE
)
_REMOTE_STYLE = re.compile(r"<link\b|@import|@font-face", re.IGNORECASE)
_LINK = re.compile(r"\b(?:href|src)\s*=\s*[\"']([^\"']+)", re.IGNORECASE)
_HIDDEN = re.compile(r"<style\b.*?</style>|<!--.*?-->|<head\b.*?</head>", re.IGNORECASE | re.DOTALL)
_TEMPLATE_LEAK = re.compile(r"\{\{|\}\}|\{%|%\}|%\(\w+\)s|%recipient|\*\|[A-Z]+\|\*|\bNone\b(?=,)|slot[0-9a-f]{8}[tu]")
MOST_COLUMNS = 75
"""Of a line of plain text, so that an answer can quote it."""
MAX_OCTETS = 10_000_000
"""Of a letter as a whole."""
_LONE_URL = re.compile(r"\W*https://\S+\W*")
_MARKUP_LEAK = re.compile(
    r"</?[a-z][a-z0-9]*[^<>@/]*>|&(?:amp|lt|gt|quot|nbsp|#\d+);|\*\*|\]\(|^:::|^#{1,6} |[ \t]$", re.MULTILINE
)


@dataclass(frozen=True)
class SentLetter:
    """A letter's octets and envelope, and the views of them that the checks share."""

    content: bytes
    return_path: str
    recipient: str

    @cached_property
    def header(self) -> bytes:
        return self.content.partition(b"\r\n\r\n")[0]

    @cached_property
    def message(self) -> EmailMessage:
        message = message_from_bytes(self.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        return message

    def count(self, name: str) -> int:
        return len(self.message.get_all(name, []))

    def field(self, name: str) -> str:
        return str(self.message.get(name, ""))

    @cached_property
    def from_domain(self) -> str:
        return str(self.message["From"].addresses[0].domain).lower()

    def body(self, subtype: str) -> str:
        part = self.message.get_body((subtype,))
        return str(part.get_content()) if part is not None else ""

    @cached_property
    def shown_html(self) -> str:
        return _HIDDEN.sub("", self.body("html"))

    @cached_property
    def leave_links(self) -> list[str]:
        return re.findall(r"<([^<>]+)>", self.field("List-Unsubscribe"))


def check_letter(letter: SentLetter) -> list[str]:
    """The faults of any letter: its octets, its header, its MIME structure, its HTML."""
    return [*_check_octets(letter), *_check_header(letter), *_check_mime(letter), *_check_html(letter)]


def check_parts(letter: SentLetter) -> list[str]:
    """The faults of a campaign's letter that its templates would be to blame for: HTML that no standard allows, plain
    text that is wide, or that shows traces of markup.
    """
    return [*_check_html_syntax(letter), *_check_plain_text(letter)]


def fault_if(is_wrong: bool, fault: str) -> list[str]:
    return [fault] if is_wrong else []


def is_aligned(domain: str, other: str) -> bool:
    """Relaxed alignment (RFC 7489 section 3.1.1), for organisational domains of two labels."""
    return domain.split(".")[-2:] == other.lower().split(".")[-2:]


def _check_octets(letter: SentLetter) -> Iterator[str]:
    content, header_lines = letter.content, letter.header.split(b"\r\n")
    yield from fault_if(re.search(rb"(?<!\r)\n|\r(?!\n)", content) is not None, "a bare CR or LF")
    yield from fault_if(b"\0" in content, "a NUL")
    yield from fault_if(not content.isascii(), "octets beyond ASCII")
    yield from fault_if(max(map(len, content.split(b"\r\n"))) > 998, "a line over 998 octets")
    yield from fault_if(max(map(len, header_lines)) > 200, "a header line over 200 octets")
    yield from fault_if(len(content) >= MAX_OCTETS, f"{len(content)} octets")
    yield from fault_if(len(letter.header) > MAX_HEADER_OCTETS, f"{len(letter.header)} octets of header")
    yield from (f"a wrong header line: {line!r}" for line in header_lines if not _HEADER_LINE.fullmatch(line))


def _check_header(letter: SentLetter) -> Iterator[str]:
    yield from (f"{letter.count(name)} {name} fields" for name in ONCE if letter.count(name) != 1)
    yield from (f"{letter.count(name)} {name} fields" for name in AT_MOST_ONCE if letter.count(name) > 1)
    yield from (f"{name} in a letter" for name in ("Bcc", "Return-Path") if letter.count(name))
    senders = [str(address.addr_spec) for address in letter.message["From"].addresses]
    yield from fault_if(len(senders) != 1 or not _ADDRESS.fullmatch(senders[0]), f"From: {senders}")
    recipients = [str(address.addr_spec) for address in letter.message["To"].addresses]
    yield from fault_if([one.lower() for one in recipients] != [letter.recipient.lower()], f"To: {recipients}")
    dated_at = letter.message["Date"].datetime
    yield from fault_if(dated_at is None or dated_at.tzinfo is None, f"Date: {letter.field('Date')}")
    message_id = _MESSAGE_ID.fullmatch(letter.field("Message-ID").strip())
    yield from fault_if(
        message_id is None or not is_aligned(letter.from_domain, message_id[1]), letter.field("Message-ID")
    )
    subject = letter.field("Subject")
    shouts = subject.isupper() and len(subject) > 3
    yield from fault_if(not 0 < len(subject) <= 150 or "!!" in subject or shouts, f"Subject: {subject}")
    # Without DKIM no CFBL-Address may stand (RFC 9477 section 3.1): `check_signature` looks whether it is signed.
    complaints = letter.field("CFBL-Address")
    yield from fault_if(
        bool(complaints) and not re.fullmatch(r"\S+@\S+;\s*report=(?:arf|xarf)", complaints), complaints
    )
    verp = re.fullmatch(r"[A-Za-z]+\+[A-Za-z0-9_.=-]{6,}@(.+)", letter.return_path)
    yield from fault_if(
        verp is None or not is_aligned(letter.from_domain, verp[1]), f"return path {letter.return_path}"
    )


def _check_mime(letter: SentLetter) -> Iterator[str]:
    message = letter.message
    yield from fault_if(not letter.field("MIME-Version").startswith("1.0"), "MIME-Version")
    leaves = [part for part in message.walk() if not part.is_multipart() and part.get_content_disposition() is None]
    files = [part for part in message.walk() if part.get_content_disposition() is not None]
    yield from (
        f"a file in {part['Content-Transfer-Encoding']}"
        for part in files
        if part["Content-Transfer-Encoding"] != "base64"
    )
    yield from (f"{part.get_content_type()} without a name" for part in files if not part.get_filename())
    yield from (f"a defect: {defect}" for part in message.walk() for defect in part.defects)
    yield from (f"{part.get_content_type()} without charset" for part in leaves if not part.get_content_charset())
    encodings = {str(part["Content-Transfer-Encoding"]).lower() for part in leaves}
    yield from fault_if(not encodings <= {"7bit", "quoted-printable", "base64"}, f"encodings {encodings}")
    types = [part.get_content_type() for part in leaves]
    yield from fault_if(
        types != ["text/plain", "text/html"] or (not files and message.get_content_type() != "multipart/alternative"),
        f"parts {types}",
    )
    yield from fault_if(len(letter.body("plain").strip()) < 20, "hardly any plain text")
    shown = letter.field("Subject") + letter.body("plain") + letter.shown_html
    if leak := _TEMPLATE_LEAK.search(shown):
        yield f"a left-over placeholder: {leak[0]!r}"


def _check_html(letter: SentLetter) -> Iterator[str]:
    page = letter.body("html")
    yield from fault_if(len(page.encode()) > MAX_HTML_OCTETS, f"{len(page.encode())} octets of HTML")
    yield from fault_if(_ACTIVE.search(page) is not None, "active content")
    yield from fault_if(_REMOTE_STYLE.search(page) is not None, "a remote style sheet or font")
    images = re.findall(r"<img\b[^>]*>", page, re.IGNORECASE)
    yield from (f"no alt: {image}" for image in images if not re.search(r"\salt\s*=", image, re.IGNORECASE))
    links = _LINK.findall(page)
    yield from (f"a link: {url}" for url in links if not url.startswith(("https://", "mailto:", "tel:", "cid:", "#")))
    hosts = [urlsplit(url).hostname or "" for url in links]
    yield from (f"an IP address: {host}" for host in hosts if re.fullmatch(r"[\d.]+|.*:.*", host))
    yield from fault_if(not re.search(r"<html[^>]+lang=", page) or "<title" not in page, "no lang or no title")
    in_text = _trigrams(letter.body("plain"))
    in_html = _trigrams(html.unescape(re.sub(r"<[^>]+>", " ", letter.shown_html)))
    yield from fault_if(len(in_text & in_html) < 0.7 * len(in_html), "the plain text does not say what the HTML says")


def _check_html_syntax(letter: SentLetter) -> Iterator[str]:
    parser = html5lib.HTMLParser()
    parser.parse(letter.body("html"))
    yield from (f"wrong HTML at {place}: {code} {values}" for place, code, values in parser.errors)


def _check_plain_text(letter: SentLetter) -> Iterator[str]:
    text = letter.body("plain")
    lines = text.replace("\r\n", "\n").split("\n")
    wide = [line for line in lines if display_width(line) > MOST_COLUMNS and not _LONE_URL.fullmatch(line)]
    yield from (f"a line of {display_width(line)} columns: {line}" for line in wide)
    yield from (f"markup in the plain text: {found[0]!r}" for found in _MARKUP_LEAK.finditer("\n".join(lines)))
    yield from fault_if("\n\n\n" in "\n".join(lines).strip(), "gaps in the plain text")


def _trigrams(text: str) -> set[str]:
    letters = "".join(character for character in text.lower() if character.isalnum())
    return {letters[at : at + 3] for at in range(len(letters) - 2)}
