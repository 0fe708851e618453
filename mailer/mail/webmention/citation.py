"""What a letter answers, as it cites it: a letter of our own archive by its title, another page by its address."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from mailer.domain.language import choose_language
from mailer.domain.letters.archive_paths import LetterPath, own_letter_path
from mailer.mail.compose.campaign_file_fields import ContentSource

_ANSWERS = re.compile(r"^answers:.*(?:\n[ \t]+\S.*)*", re.MULTILINE)
_LETTER = re.compile(r"/archive/([a-z0-9-]{1,26})/([1-9][0-9]{0,17})-")


def find_cited_letters(texts: Collection[str]) -> frozenset[tuple[str, int]]:
    """List name and campaign of each letter that these campaign files may answer, on whatever site."""
    found = (letter for text in texts for answers in _ANSWERS.findall(text) for letter in _LETTER.findall(answers))
    return frozenset((name, int(number)) for name, number in found)


def citation_key(list_name: str, campaign_id: int) -> str:
    """The key of a letter in `LetterResources.cited_titles`."""
    return f"{list_name}/{campaign_id}"


def cite(
    answers: ContentSource | None, site_url: str, language: str, cited_titles: Mapping[str, Mapping[str, str]]
) -> ContentSource | None:
    """What a letter answers, always with words: those that were given, the letter's title, or the address."""
    if answers is None or answers.text or answers.url is None:
        return answers
    title = _own_title(own_letter_path(site_url, answers.url), language, cited_titles)
    return ContentSource(text=title or _plain_address(answers.url), url=answers.url)


def _own_title(letter: LetterPath | None, language: str, cited_titles: Mapping[str, Mapping[str, str]]) -> str | None:
    titles = cited_titles.get(citation_key(letter.list_name, letter.campaign_id), {}) if letter else {}
    if not titles:
        return None
    # The text in the language of the path, else in that of the letter, else the default one, which is the first.
    wanted = (letter.language if letter else None, language)
    return titles[choose_language(wanted, titles) or next(iter(titles))]


def _plain_address(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}".rstrip("/")
