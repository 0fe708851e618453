"""Tag lists, `v=DKIM1; k=rsa; p=...`, as DKIM and DMARC use them (RFC 6376 section 3.2)."""

from __future__ import annotations


def parse_tag_list(text: str) -> dict[str, str]:
    """The values by lower-case tag name, in order, without white space around them.

    Of a repeated tag the first counts; parts without a name or "=" are ignored.
    """
    tags: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if equals and name.strip():
            tags.setdefault(name.strip().lower(), value.strip())
    return tags


def split_values(value: str) -> set[str]:
    """The values of a colon-separated tag (such as h=, s= or t=), in lower case without white space."""
    return {part.strip().lower() for part in value.split(":")}
