"""Paths of the archive: where the letters of a list stand on the web, below the site's URL."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

ARCHIVE_PAGE, VIEW_PAGE = "archive", "view"
"""The first segments of the public archive, and of one that only subscribers read, by the links of their letters."""
ANY_SLUG = "letter"
"""The slug of a title without Latin letters or digits, and in the links of letters: the page leads on to its own."""
_LONGEST_SLUG = 60
_NO_DECOMPOSITION = str.maketrans({"ß": "ss", "ı": "i", "ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th"})
_LETTER = re.compile(r"([1-9][0-9]{0,17})-([a-z0-9-]{1,100})")
_LIST = re.compile(r"[a-z0-9-]{1,26}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterPath:
    """The page of one edition, as its path names it."""

    list_name: str
    campaign_id: int
    slug: str
    language: str | None
    """The edition's; None: the default edition."""


def slug_of(title: str) -> str:
    """Lower-case ASCII words of a title with hyphens between them, at most 60 characters; never empty."""
    plain = unicodedata.normalize("NFKD", title.lower().translate(_NO_DECOMPOSITION))
    words = re.findall(r"[a-z0-9]+", "".join(one for one in plain if not unicodedata.combining(one)))
    slug = ""
    for word in words:
        if len(slug) + len(word) >= _LONGEST_SLUG:
            break
        slug = f"{slug}-{word}" if slug else word
    return slug or ANY_SLUG


def letter_name(campaign_id: int, slug: str = ANY_SLUG, language: str | None = None) -> str:
    """The last segments of a letter's path: `7-harvest-forum`, or `7-harvest-forum/tr` for an edition.

    With ANY_SLUG it never changes, whatever becomes of the title.
    """
    return f"{campaign_id}-{slug}" + (f"/{language}" if language else "")


def parse_letter_name(name: str) -> tuple[int, str] | None:
    """The campaign and the slug of a segment like `7-harvest-forum`; None for any other."""
    found = _LETTER.fullmatch(name)
    return (int(found[1]), found[2]) if found else None


def parse_letter_path(path: str) -> LetterPath | None:
    """What a path like `/archive/appeals/7-harvest-forum/tr`, below the site's own, names; None for any other."""
    page, _, rest = path.removeprefix("/").partition("/")
    segments = rest.split("/")
    if page != ARCHIVE_PAGE or len(segments) not in (2, 3) or not _LIST.fullmatch(segments[0]):
        return None
    letter, language = parse_letter_name(segments[1]), segments[2] if len(segments) > 2 else None
    if letter is None or (language is not None and not _LANGUAGE.fullmatch(language)):
        return None
    return LetterPath(list_name=segments[0], campaign_id=letter[0], slug=letter[1], language=language)


def own_letter_path(site_url: str, url: str) -> LetterPath | None:
    """What a URL below the site's names in its public archive; None for any other URL."""
    if not url.startswith(f"{site_url}/"):
        return None
    return parse_letter_path(url[len(site_url) :].partition("#")[0].partition("?")[0])
