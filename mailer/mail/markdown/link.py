"""Checks of the links in a letter: only https, mailto and tel are allowed."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from markdown_it.common.normalize_url import normalizeLink

from mailer.errors import CampaignFileRefused
from mailer.mail.compose.merge_field import hide_placeholders, mark_placeholders_for_url

# The last label begins with a letter, so no spelling of an IP address matches.
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
_MAILBOX = re.compile(rf"[A-Za-z0-9.!#$&'*+/=^_`|~%-]+@{_HOST.pattern}")
_PHONE_NUMBER = re.compile(r"\+?[0-9().-]+")
_SCHEME_AND_HOST = re.compile(r"^[a-zA-Z]+:(?://[^/?#]*)?")
_FORBIDDEN = re.compile(r"[\s\\<>\"]")


def check_link(url: str, line: int) -> str:
    """The URL in ASCII, with its placeholders marked for percent-encoding.

    `url` may hold placeholders after its host, but not in it. Raises CampaignFileRefused, with `line`, if the link is
    not allowed.
    """
    shown = hide_placeholders(url)
    try:
        # Lower case before Punycode: "Ü" and "ü" would become different hosts.
        normalized = normalizeLink(_SCHEME_AND_HOST.sub(lambda match: match[0].lower(), url))
        reason = _link_error(urlsplit(normalized), normalized)
    except ValueError:
        raise CampaignFileRefused(f"{shown!r} is not a link", line) from None
    if reason:
        raise CampaignFileRefused(f"the link {shown!r} {reason}", line)
    return mark_placeholders_for_url(normalized)


def _link_error(parts: SplitResult, url: str) -> str | None:
    if _FORBIDDEN.search(url) or not url.isascii():
        return "holds a character that no link may hold"
    if hide_placeholders(parts.netloc) != parts.netloc:
        return "has a merge field where its host should be; merge fields may stand only after it"
    if parts.scheme in {"mailto", "tel"}:
        pattern = _MAILBOX if parts.scheme == "mailto" else _PHONE_NUMBER
        fits = pattern.fullmatch(parts.path) and hide_placeholders(parts.path) == parts.path
        return None if fits else f"is not a whole {parts.scheme}: link"
    if parts.scheme != "https":
        return "must begin with https:// (or mailto: or tel:)"
    return _host_error(parts)


def _host_error(parts: SplitResult) -> str | None:
    if parts.username is not None or parts.password is not None:
        return "carries a user name before its host"
    if parts.port == 0 or not _HOST.fullmatch(parts.hostname or ""):
        return "must name a host like www.example.org, not an IP address or a short name"
    return None
