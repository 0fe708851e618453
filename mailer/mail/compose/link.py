"""A link in a letter: https, mailto or tel; anything else would cost readers or the letter their safety."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from markdown_it.common.normalize_url import normalizeLink

from mailer.errors import ManuscriptRefused
from mailer.mail.compose.merge_field import in_url, without_marks

# The last label begins with a letter, so that no way of writing an IP address passes.
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_MAILBOX = re.compile(rf"[A-Za-z0-9.!#$&'*+/=^_`|~%-]+@{_HOST.pattern}")
_NUMBER = re.compile(r"\+?[0-9().-]+")
_BEFORE_PATH = re.compile(r"^[a-zA-Z]+:(?://[^/?#]*)?")
_UNFIT = re.compile(r"[\s\\<>\"]")


def check_link(url: str, line: int) -> str:
    """The link destination in ASCII, its marks meant for a URL; ManuscriptRefused says why it may not stand.

    `url` may hold marks (of holes) after the host, but not in it.
    """
    shown = without_marks(url)
    try:
        # Before it is put into ASCII: "Ü" and "ü" would become different hosts.
        normal = normalizeLink(_BEFORE_PATH.sub(lambda match: match[0].lower(), url))
        reason = _wrong(urlsplit(normal), normal)
    except ValueError:
        raise ManuscriptRefused(f"{shown!r} is not a link", line) from None
    if reason:
        raise ManuscriptRefused(f"the link {shown!r} {reason}", line)
    return in_url(normal)


def _wrong(parts: SplitResult, url: str) -> str | None:
    if _UNFIT.search(url) or not url.isascii():
        return "holds a character that no link may hold"
    if without_marks(parts.netloc) != parts.netloc:
        return "has a hole where its host should be; holes may stand only after it"
    if parts.scheme in {"mailto", "tel"}:
        whole = _MAILBOX if parts.scheme == "mailto" else _NUMBER
        fits = whole.fullmatch(parts.path) and without_marks(parts.path) == parts.path
        return None if fits else f"is not a whole {parts.scheme}: link"
    if parts.scheme != "https":
        return "must begin with https:// (or mailto: or tel:)"
    return _wrong_host(parts)


def _wrong_host(parts: SplitResult) -> str | None:
    if parts.username is not None or parts.password is not None:
        return "carries a user name before its host"
    if parts.port == 0 or not _HOST.fullmatch(parts.hostname or ""):
        return "must name a host like www.example.org, not an IP address or a short name"
    return None
