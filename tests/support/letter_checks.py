"""What receivers of bulk mail ask of a letter, checked on its octets as they are handed to the relay.

Sources: RFC 5321, 5322, 2045, 2046, 2369, 2919, 8058, 6376, 8301, 9477, and the sender guidelines of Gmail and Yahoo
(2024). Each check yields one line for each fault it finds; a letter without faults yields nothing.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from urllib.parse import urlsplit

import dkim

from mailer.mail.dkim.tag_list import parse_tag_list

MAX_HEADER_OCTETS = 16_384
MAX_HTML_OCTETS = 100_000
"""Gmail cuts off longer HTML."""
MIN_TOKEN_CHARACTERS = 12
ONCE = ("From", "Date", "Message-ID", "Subject", "To", "MIME-Version", "Content-Type")
AT_MOST_ONCE = (
    *("Sender", "Reply-To", "Cc", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Content-Transfer-Encoding"),
    *("Auto-Submitted", "CFBL-Address", "CFBL-Feedback-ID", "Feedback-ID", "Precedence"),
)
MUST_BE_SIGNED = {
    *("from", "to", "subject", "date", "message-id", "reply-to", "mime-version", "content-type"),
    *("list-id", "list-unsubscribe", "list-unsubscribe-post", "cfbl-address", "cfbl-feedback-id"),
}
_HEADER_LINE = re.compile(rb"[!-9;-~]+:[ \t]?.*|[ \t]+\S.*", re.DOTALL)
_ADDRESS = re.compile(r"[^@\s<>]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}")
_MESSAGE_ID = re.compile(r"<[^<>@\s]+@([^<>@\s]+)>")
_ACTIVE = re.compile(
    r"<(?:script|form|iframe|object|embed)\b|<[^>]*\s(?:on\w+\s*=|href\s*=\s*[\"']?\s*javascript:)", re.IGNORECASE
)
_REMOTE_STYLE = re.compile(r"<link\b|@import|@font-face", re.IGNORECASE)
_LINK = re.compile(r"\b(?:href|src)\s*=\s*[\"']([^\"']+)", re.IGNORECASE)
_HIDDEN = re.compile(r"<style\b.*?</style>|<!--.*?-->|<head\b.*?</head>", re.IGNORECASE | re.DOTALL)
_TEMPLATE_LEAK = re.compile(r"\{\{|\}\}|\{%|%\}|%\(\w+\)s|\bNone\b(?=,)|slot[0-9a-f]{8}[tu]")
_URL = re.compile(r"https://[^\s\"'<>)\]]+")


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


def check_list_letter(letter: SentLetter) -> list[str]:
    """The faults of the List- fields and of the ways to unsubscribe (RFC 2369, 2919, 8058)."""
    return [*_check_list_fields(letter), *_check_unsubscribe(letter)]


def check_campaign_letter(letter: SentLetter) -> list[str]:
    """The faults of what only a campaign's letter has: Feedback-ID, Precedence."""
    return [
        *_fault_if(
            not re.fullmatch(r"[^:]*:[^:]*:[^:]*:[^:]+", letter.field("Feedback-ID")), "Feedback-ID not 4 parts"
        ),
        *_fault_if(letter.field("Precedence").lower() != "bulk", "Precedence is not bulk"),
        *_fault_if(letter.count("Auto-Submitted") > 0, "Auto-Submitted in a letter that people wrote"),
    ]


def check_reason(letter: SentLetter) -> list[str]:
    """Whether a letter with the English texts says why its reader gets it."""
    reasons = (letter.body("plain"), letter.body("html"))
    return _fault_if(not all("You get this letter because" in " ".join(text.split()) for text in reasons), "no reason")


def check_notice(letter: SentLetter) -> list[str]:
    """The faults of a letter that the service writes itself (RFC 3834): no program may answer it."""
    submitted = letter.field("Auto-Submitted")
    return [
        *_fault_if(not submitted.startswith(("auto-generated", "auto-replied")), f"Auto-Submitted: {submitted!r}"),
        *_fault_if(letter.count("X-Auto-Response-Suppress") != 1, "no X-Auto-Response-Suppress"),
    ]


def check_signature(letter: SentLetter, zone: Mapping[str, str]) -> list[str]:
    """The faults of the DKIM signature (RFC 6376, 8301); `zone` maps names, with a last dot, to TXT records."""
    signatures = letter.message.get_all("DKIM-Signature", [])
    if len(signatures) != 1:
        return [f"{len(signatures)} DKIM-Signature fields"]
    tags = parse_tag_list("".join(str(signatures[0]).split()))
    signed = tags.get("h", "").lower().split(":")
    missing = {name for name in MUST_BE_SIGNED if letter.count(name) and name not in signed}
    oversigned = {name for name in ("from", "to", "subject", "date") if signed.count(name) <= letter.count(name)}

    return [
        *_fault_if(not _is_aligned(letter.from_domain, tags.get("d", "")), f"d={tags.get('d')} is not aligned"),
        *_fault_if(bool(missing), f"not signed: {sorted(missing)}"),
        *_fault_if(bool(oversigned), f"not oversigned: {sorted(oversigned)}"),
        *_fault_if("l" in tags, "l= leaves the end of the body unsigned"),
        *_fault_if(tags.get("a") != "rsa-sha256", f"a={tags.get('a')}"),
        *_fault_if(tags.get("c") != "relaxed/relaxed", f"c={tags.get('c')}"),
        *_fault_if(bool({"received", "return-path", "bcc"} & set(signed)), "signs fields that change on the way"),
        *_fault_if(not _verifies(letter.content, zone), "the signature does not verify"),
    ]


def _fault_if(is_wrong: bool, fault: str) -> list[str]:
    return [fault] if is_wrong else []


def _verifies(content: bytes, zone: Mapping[str, str]) -> bool:
    def look_up(name: bytes, timeout: int = 5) -> bytes | None:
        return zone.get(name.decode(), "").encode() or None

    try:
        return bool(dkim.DKIM(content).verify(dnsfunc=look_up))
    except dkim.DKIMException:
        return False


def _is_aligned(domain: str, other: str) -> bool:
    """Relaxed alignment (RFC 7489 section 3.1.1), for organisational domains of two labels."""
    return domain.split(".")[-2:] == other.lower().split(".")[-2:]


def _check_octets(letter: SentLetter) -> Iterator[str]:
    content, header_lines = letter.content, letter.header.split(b"\r\n")
    yield from _fault_if(re.search(rb"(?<!\r)\n|\r(?!\n)", content) is not None, "a bare CR or LF")
    yield from _fault_if(b"\0" in content, "a NUL")
    yield from _fault_if(not content.isascii(), "octets beyond ASCII")
    yield from _fault_if(max(map(len, content.split(b"\r\n"))) > 998, "a line over 998 octets")
    yield from _fault_if(max(map(len, header_lines)) > 200, "a header line over 200 octets")
    yield from _fault_if(len(letter.header) > MAX_HEADER_OCTETS, f"{len(letter.header)} octets of header")
    yield from (f"a wrong header line: {line!r}" for line in header_lines if not _HEADER_LINE.fullmatch(line))


def _check_header(letter: SentLetter) -> Iterator[str]:
    yield from (f"{letter.count(name)} {name} fields" for name in ONCE if letter.count(name) != 1)
    yield from (f"{letter.count(name)} {name} fields" for name in AT_MOST_ONCE if letter.count(name) > 1)
    yield from (f"{name} in a letter" for name in ("Bcc", "Return-Path") if letter.count(name))
    senders = [str(address.addr_spec) for address in letter.message["From"].addresses]
    yield from _fault_if(len(senders) != 1 or not _ADDRESS.fullmatch(senders[0]), f"From: {senders}")
    recipients = [str(address.addr_spec) for address in letter.message["To"].addresses]
    yield from _fault_if([one.lower() for one in recipients] != [letter.recipient.lower()], f"To: {recipients}")
    dated_at = letter.message["Date"].datetime
    yield from _fault_if(dated_at is None or dated_at.tzinfo is None, f"Date: {letter.field('Date')}")
    message_id = _MESSAGE_ID.fullmatch(letter.field("Message-ID").strip())
    yield from _fault_if(
        message_id is None or not _is_aligned(letter.from_domain, message_id[1]), letter.field("Message-ID")
    )
    subject = letter.field("Subject")
    yield from _fault_if(not 0 < len(subject) <= 150 or "!!" in subject, f"Subject: {subject}")
    # Without DKIM no CFBL-Address may stand (RFC 9477 section 3.1): `check_signature` looks whether it is signed.
    complaints = letter.field("CFBL-Address")
    yield from _fault_if(
        bool(complaints) and not re.fullmatch(r"\S+@\S+;\s*report=(?:arf|xarf)", complaints), complaints
    )
    verp = re.fullmatch(r"[A-Za-z]+\+[A-Za-z0-9_.=-]{6,}@(.+)", letter.return_path)
    yield from _fault_if(
        verp is None or not _is_aligned(letter.from_domain, verp[1]), f"return path {letter.return_path}"
    )


def _check_mime(letter: SentLetter) -> Iterator[str]:
    message = letter.message
    yield from _fault_if(not letter.field("MIME-Version").startswith("1.0"), "MIME-Version")
    leaves = [part for part in message.walk() if not part.is_multipart()]
    yield from (f"a defect: {defect}" for part in message.walk() for defect in part.defects)
    yield from (f"{part.get_content_type()} without charset" for part in leaves if not part.get_content_charset())
    encodings = {str(part["Content-Transfer-Encoding"]).lower() for part in leaves}
    yield from _fault_if(not encodings <= {"7bit", "quoted-printable", "base64"}, f"encodings {encodings}")
    types = [part.get_content_type() for part in leaves]
    yield from _fault_if(
        message.get_content_type() != "multipart/alternative" or types != ["text/plain", "text/html"], f"parts {types}"
    )
    yield from _fault_if(len(letter.body("plain").strip()) < 20, "hardly any plain text")
    shown = letter.field("Subject") + letter.body("plain") + letter.shown_html
    if leak := _TEMPLATE_LEAK.search(shown):
        yield f"a left-over placeholder: {leak[0]!r}"


def _check_html(letter: SentLetter) -> Iterator[str]:
    page = letter.body("html")
    yield from _fault_if(len(page.encode()) > MAX_HTML_OCTETS, f"{len(page.encode())} octets of HTML")
    yield from _fault_if(_ACTIVE.search(page) is not None, "active content")
    yield from _fault_if(_REMOTE_STYLE.search(page) is not None, "a remote style sheet or font")
    images = re.findall(r"<img\b[^>]*>", page, re.IGNORECASE)
    yield from (f"no alt: {image}" for image in images if not re.search(r"\salt\s*=", image, re.IGNORECASE))
    links = _LINK.findall(page)
    yield from (f"a link: {url}" for url in links if not url.startswith(("https://", "mailto:", "tel:", "cid:", "#")))
    hosts = [urlsplit(url).hostname or "" for url in links]
    yield from (f"an IP address: {host}" for host in hosts if re.fullmatch(r"[\d.]+|.*:.*", host))
    yield from _fault_if(not re.search(r"<html[^>]+lang=", page) or "<title" not in page, "no lang or no title")
    in_text = _trigrams(letter.body("plain"))
    in_html = _trigrams(html.unescape(re.sub(r"<[^>]+>", " ", letter.shown_html)))
    yield from _fault_if(len(in_text & in_html) < 0.7 * len(in_html), "the plain text does not say what the HTML says")


def _trigrams(text: str) -> set[str]:
    letters = "".join(character for character in text.lower() if character.isalnum())
    return {letters[at : at + 3] for at in range(len(letters) - 2)}


def _check_list_fields(letter: SentLetter) -> Iterator[str]:
    list_id = letter.field("List-Id")
    yield from _fault_if(not re.search(r"<[A-Za-z0-9_-]+(?:\.[A-Za-z0-9-]+)+>$", list_id), f"List-Id: {list_id}")
    yield from _fault_if(letter.field("List-Post") != "NO", f"List-Post: {letter.field('List-Post')}")
    yield from _fault_if(not (letter.count("List-Help") and letter.count("List-Owner")), "no List-Help or List-Owner")


def _check_unsubscribe(letter: SentLetter) -> Iterator[str]:
    pages = [url for url in letter.leave_links if url.startswith("https://")]
    yield from _fault_if(len(pages) != 1, f"List-Unsubscribe: {letter.leave_links}")
    yield from _fault_if(not any(url.startswith("mailto:") for url in letter.leave_links), "no mailto to unsubscribe")
    yield from _fault_if(
        letter.field("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click", letter.field("List-Unsubscribe-Post")
    )
    yield from (f"an address in {url}" for url in pages if "@" in url)
    yield from (f"a short token in {url}" for url in pages if len(_token(url)) < MIN_TOKEN_CHARACTERS)
    for subtype in ("plain", "html"):
        shown = {html.unescape(url) for url in _URL.findall(letter.body(subtype))}
        own = [url for url in shown for page in pages if _site(url) == _site(page) and _token(url) == _token(page)]
        yield from _fault_if(not own, f"no personal link to unsubscribe in the {subtype} part")


def _site(url: str) -> str:
    return "/".join(url.split("/")[:3])


def _token(url: str) -> str:
    return re.split(r"[/=]", url)[-1]
