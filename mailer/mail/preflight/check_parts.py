"""Checks of a letter's size, its subject, its text part, and what was left over in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailer.domain.letters.preflight import PreflightResult, PreflightRule, blocking, fine, warning
from mailer.mail.compose.compose_letter import MOST_HTML_OCTETS
from mailer.mail.preflight.sample_letter import SampleLetter

MOST_LETTER_OCTETS = 10_000_000
"""Common receivers refuse larger mail; in base64 that is 7 MB of files."""
LARGE_LETTER_OCTETS, LARGE_HTML_OCTETS = 2_000_000, 85_000
_LONGEST_LINE, _LEAST_TEXT = 78, 20
_SAME_WORDS = 0.6
"""Of the HTML's words, in groups of three letters, must be in the text part."""
_LEFTOVERS = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|\{\{|\}\}|\*\|[A-Z0-9_:]+\|\*|%recipient[._]?\w*%?|%%\w+%%|\[\[\w+\]\]|slot[0-9a-f]{8}[tu]",
    re.DOTALL,
)


def check_size(sample: SampleLetter) -> Iterator[PreflightResult]:
    """The size of the HTML, of the whole letter and of what is attached."""
    rule, whole, of_html = PreflightRule.SIZE, len(sample.letter.content), len(sample.html.encode())
    if of_html > MOST_HTML_OCTETS:
        message = f"the HTML has {of_html:,} octets; Gmail cuts off what is over 102,000, and with it the way out"
        yield blocking(rule, message, "Shorten the text.")
    elif of_html > LARGE_HTML_OCTETS:
        yield warning(rule, f"the HTML has {of_html:,} octets of {MOST_HTML_OCTETS:,}", "Shorten the text.")
    if whole > MOST_LETTER_OCTETS:
        message = f"the letter has {whole:,} octets; many receivers refuse more than {MOST_LETTER_OCTETS:,}"
        yield blocking(rule, message, "Attach less, or put a link in place of a file.")
    elif whole > LARGE_LETTER_OCTETS:
        message = f"the letter has {whole:,} octets, which takes long to send and to read"
        yield warning(rule, message, "Put links in place of files, and pictures on the web (pictures: hosted).")
    if sample.attachments:
        names = ", ".join(str(part.get_filename()) for part in sample.attachments)
        yield fine(rule, f"{len(sample.attachments)} attached: {names}")
    yield fine(rule, f"{whole:,} octets, of which the HTML has {of_html:,}")


def check_subject(sample: SampleLetter) -> Iterator[PreflightResult]:
    """Whether there is a subject, and whether it shouts."""
    subject = sample.without_values(sample.subject)
    letters = [one for one in subject if one.isalpha()]
    if not sample.subject.strip():
        yield blocking(PreflightRule.HEADER, "the subject is empty", "Write one.")
    elif len(letters) > 10 and subject.upper() == subject and subject.lower() != subject:
        yield warning(PreflightRule.HEADER, "the subject is in capitals", "Spam filters count that against a letter.")
    elif "!!" in subject or "??" in subject:
        message = "the subject has several exclamation or question marks in a row"
        yield warning(PreflightRule.HEADER, message, "One is enough; spam filters count more against a letter.")


def check_plain_text(sample: SampleLetter) -> Iterator[PreflightResult]:
    """Whether there is a text part that says what the HTML says, in lines that can be read."""
    rule, text = PreflightRule.PLAIN_TEXT, sample.text
    if len(text.strip()) < _LEAST_TEXT:
        yield warning(rule, "there is hardly any plain text", "Write something besides pictures and buttons.")
        return
    in_text, in_html = _trigrams(text), _trigrams(sample.shown_html)
    share = len(in_text & in_html) / max(len(in_html), 1)
    long_lines = [line for line in text.split("\n") if len(line) > _LONGEST_LINE and "://" not in line]
    if share < _SAME_WORDS:
        message = f"the plain text says {share:.0%} of what the HTML says"
        yield warning(rule, message, "Readers of plain text, and spam filters, miss the rest.")
    elif long_lines:
        yield warning(rule, f"{len(long_lines)} lines of the plain text have more than {_LONGEST_LINE} characters")
    else:
        yield fine(rule, f"the plain text has {len(text.split()):,} words")


def check_leftovers(sample: SampleLetter) -> Iterator[PreflightResult]:
    """Merge fields and conditions of ours, or of another product, that are still there."""
    found: dict[str, None] = {}
    for shown in (sample.subject, sample.text, sample.shown_html):
        found |= dict.fromkeys(" ".join(one.split())[:40] for one in _LEFTOVERS.findall(sample.without_values(shown)))
    for one in found:
        message = f"“{one}” was left in the letter"
        yield blocking(PreflightRule.LEFTOVER, message, 'Merge fields are written {{ name or "there" }}.')
    if not found:
        yield fine(PreflightRule.LEFTOVER, "no merge field was left over")


def _trigrams(text: str) -> set[str]:
    letters = "".join(one for one in text.lower() if one.isalnum())
    return {letters[at : at + 3] for at in range(len(letters) - 2)}
