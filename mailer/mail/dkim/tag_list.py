"""Tag lists, `v=DKIM1; k=rsa; p=...`: the form of DKIM's and DMARC's records."""

from __future__ import annotations


def parse_tag_list(text: str) -> dict[str, str]:
    """The tags in order by their lower-case names, white space around them taken away (RFC 6376 section 3.2).

    Of a tag that stands twice the first counts; what is no tag at all is left out.
    """
    tags: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if equals and name.strip():
            tags.setdefault(name.strip().lower(), value.strip())
    return tags
