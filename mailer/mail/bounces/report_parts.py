"""The parts of a bounce or complaint: its notice text, its machine-readable reports, and the returned letter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from mailer.mail.message.html_to_text import html_to_text
from mailer.mail.message.mime_parser import Part, iter_leaf_parts, parse_mime

_MAX_OCTETS = 1_300_000
_MAX_PARTS, _MAX_DEPTH = 50, 8
_MAX_TEXT_LENGTH = 64 * 1024
_MAX_HTML_TEXTS = 2
"""Converting HTML is slow, and a notice has one text."""
_BOUNDARY = re.compile(r';\s*boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_PROBABLE_BOUNDARY = re.compile(rb"^--(\S[^\n]{0,198}\S)[ \t]*\n(?=content-[a-z-]+:)", re.MULTILINE | re.IGNORECASE)
_FIELD = re.compile(rb"[!-9;-~]{1,76}:")
_CONTINUED_LINE = re.compile(r"\A[\s>]{0,8}(?:<<<\s?)?[45]\d\d-|[:：]\s*\Z")
_ORIGINAL_TYPES = frozenset(
    {
        "message/rfc822",
        "message/global",
        "message/partial",
        "message/rfc822-headers",
        "message/global-headers",
        "text/rfc822-headers",
        "text/rfc822-header",
        "text/rfc822",
        "message/news",
    }
)
REPORT_KINDS = {
    "message/delivery-status": "status",
    "message/global-delivery-status": "status",
    "message/feedback-report": "feedback",
    "text/feedback-report": "feedback",
    "message/disposition-notification": "disposition",
    "message/global-disposition-notification": "disposition",
    "message/x-arf": "feedback",
}
"""Content type -> kind of report: RFC 3464, RFC 5965, RFC 8098; RFC 6533 for those with UTF-8."""


@dataclass(kw_only=True, slots=True)
class ReportParts:
    """A mail's parts by their purpose."""

    top: Part
    texts: list[str] = field(default_factory=list)
    """The notice's text parts, each at most 64 kB, with LF line ends: plain text, or else HTML converted to text."""
    reports: list[tuple[str, str]] = field(default_factory=list)
    """The kind of each report (a value of REPORT_KINDS), and its text."""
    originals: list[Part] = field(default_factory=list)
    """The returned letter, or its header."""
    truncated: bool = False
    """Whether the mail ends within its notice or report: the rest is lost."""

    def report(self, kind: str) -> str:
        """The text of all reports of one kind; empty where there is none."""
        return "\n\n".join(text for name, text in self.reports if name == kind)


def parse_report_parts(raw: bytes) -> ReportParts:
    """The parts of a mail; never fails. Line ends may be CRLF, LF or CR."""
    octets = raw[:_MAX_OCTETS].replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\0", b"")
    return _collect_parts(parse_mime(octets.lstrip(b"\n")))


def parse_attached_mail(original: Part) -> ReportParts:
    """The parts of a mail that is attached to another."""
    return _collect_parts(original)


def _collect_parts(top: Part) -> ReportParts:
    parts = ReportParts(top=top)
    html_parts: list[Part] = []
    root = replace(top, is_complete=_ends_with_complete_line(top))
    for part in iter_leaf_parts(root, _splitter(root), max_parts=_MAX_PARTS, max_depth=_MAX_DEPTH):
        kind = part.content_type
        parts.truncated = kind not in _ORIGINAL_TYPES and not part.is_complete
        if kind in REPORT_KINDS:
            parts.reports.append((REPORT_KINDS[kind], _normalize_line_ends(part.text)))
        elif kind in _ORIGINAL_TYPES:
            parts.originals.append(parse_mime(_decode_body(part).lstrip(b"\n")))
        elif kind == "text/html":
            html_parts.append(part)
        elif _is_notice_text(kind):
            parts.texts.append(_normalize_line_ends(part.text))
    if not any(text.strip() for text in parts.texts):
        parts.texts = [
            _normalize_line_ends(html_to_text(part.text[:_MAX_TEXT_LENGTH])) for part in html_parts[:_MAX_HTML_TEXTS]
        ]
    return parts


def _splitter(root: Part) -> Callable[[Part], Iterator[Part] | None]:
    """A lenient `split_multipart`: None for a multipart in which no boundary is found, so that it is read as text.

    A part of `root` is complete if another part follows; a part nested further in is complete if the part around it is.
    """

    def split(part: Part) -> Iterator[Part] | None:
        parts = _split_multipart(part)
        if not parts:
            return None
        return iter(parts if part is root else [replace(each, is_complete=part.is_complete) for each in parts])

    return split


def _ends_with_complete_line(part: Part) -> bool:
    """Whether the last line has its line end and announces no more: no `550-`, no colon, no open bracket."""
    lines = [line for line in part.text.splitlines(keepends=True) if line.strip()]
    last = lines[-1] if lines else ""
    return last.endswith(("\n", "\r")) and not _CONTINUED_LINE.search(last) and last.count("(") <= last.count(")")


def _is_notice_text(kind: str) -> bool:
    # Attachments too, since some mail systems attach the notice. A multipart without its boundary is read as text.
    return kind.startswith(("text/plain", "text/x-", "multipart/")) or "/" not in kind


def _normalize_line_ends(text: str) -> str:
    return text[:_MAX_TEXT_LENGTH].replace("\r\n", "\n").replace("\r", "\n")


def _decode_body(part: Part) -> bytes:
    encoding = part.fields.get("content-transfer-encoding", "").strip().lower()
    if encoding not in {"base64", "quoted-printable"}:
        return part.body
    return part.text.replace("\r\n", "\n").encode("utf-8", "replace")


def _split_multipart(part: Part) -> list[Part]:
    named = _BOUNDARY.search(part.fields["content-type"])
    boundary = (named[1] or named[2]).encode() if named else b""
    if not boundary or (b"--" + boundary) not in part.body:
        # Gateways drop the boundary parameter, or change it.
        found = _PROBABLE_BOUNDARY.search(part.body)
        boundary = found[1] if found else b""
    return list(_split_at_boundary(part.body, boundary)) if boundary else []


def _split_at_boundary(body: bytes, boundary: bytes) -> Iterator[Part]:
    pieces = (b"\n" + body).split(b"\n--" + boundary)
    for number, piece in enumerate(pieces[1 : _MAX_PARTS + 1], 1):
        if piece.startswith(b"--"):
            return
        octets = piece.partition(b"\n")[2]
        if not octets.startswith(b"\n") and not _FIELD.match(octets):
            octets = b"\n" + octets
        yield replace(parse_mime(octets), is_complete=number + 1 < len(pieces))
