"""Samples, guides and templates hold no greeting that spam filters count as fraud."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.compose.compile_letter import compile_letter
from mailer.mail.message.letter import decode_part

ROOT = Path(__file__).parents[3]
RULES = {
    # SpamAssassin 4.0's rules on greetings; `^` is a paragraph's beginning.
    "DEAR_FRIEND": r"^\s*dear friend\b",
    "DEAR_SOMETHING": r"\bdear (?:IT\W|internet|candidate|sirs?|madam|investor|travell?er|car shopper|web)\b",
    "DEAR_WINNER": r"\bdear.{1,20}winner",
    "DEAR_BENEFICIARY": r"\bde[ae]r\s(?:\S+\s)?ben[ei]ficiary\b",
    "TVD_DEAR_HOMEOWNER": r"^dear homeowner",
    "mail user": r"\b(?:att(?:entio)?n|dear|caro) (?:web ?|e-?)?mail user[:;,]",
    "bank customer": r"dear [a-z]+ bank (?:member|customer)",
    "part of FRAUD rules": r"\b(?:dear friend|dear sir|yours faithfully|compliments? of the|season'?s greetings)\b",
}
_FENCED = re.compile(r"^```markdown\n(.*?)^```$|<<'END'\n(---\n.*?)^END$", re.DOTALL | re.MULTILINE)
"""A campaign file, as itself or as a shell writes it."""
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SAMPLES = {
    f"{page.name}-{number}": found[1] or found[2]
    for page in PAGES
    for number, found in enumerate(_FENCED.finditer(page.read_text(encoding="utf-8")))
} | {
    file.name: file.read_text(encoding="utf-8").replace("EVENT_STARTS", "2027-03-05T19:00")
    for file in sorted((ROOT / "mailer" / "demo" / "samples").glob("*.md"))
}
WORDS = [
    *PAGES,
    *(file for file in sorted((ROOT / "templates").rglob("*.j2"))),
    *sorted((ROOT / "mailer" / "locale").glob("*.po")),
    *sorted((ROOT / "mailer" / "mail").rglob("*.py")),
]


def taken_in(text: str) -> str:
    """The sample as the service keeps it: with the paths that files beside it get, and nothing attached."""
    text = re.sub(r"^attachments: \[[^/\]]*\]\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"\]\((?:\w+/)?(\w+)\.jpg", rf"](/media/{'3f' * 16}/\1-1200x800.jpg", text)
    return re.sub(r"\]\((\w+\.pdf)", rf"](/media/{'3f' * 16}/\1", text)


def hits(text: str) -> list[str]:
    return [name for name, rule in RULES.items() if re.search(rule, text, re.IGNORECASE | re.MULTILINE)]


def test_the_rules_match_what_they_are_meant_for():
    assert hits("Dear friend,") == ["DEAR_FRIEND", "part of FRAUD rules"]
    assert hits("Hello\n\nDear Internet user") == ["DEAR_SOMETHING"]
    assert hits("Dear Rosa,") == hits("Hello there,") == []


@pytest.mark.parametrize("known", [{}, {"name": "Rosa", "attributes": {"town": "Köln", "seeds": "oats,rye"}}], ids=str)
@pytest.mark.parametrize("sample", SAMPLES)
def test_no_sample_greets_as_fraud_does(sample, known, rosa, list_identity, templates):
    text = taken_in(SAMPLES[sample])
    whole = text if text.startswith("---") else f"---\nsubject: News\n---\n{text}"
    reader = replace(rosa, **({"name": None, "attributes": {}} | known))

    letter = compile_letter(parse_campaign_file(whole, "en"), list_identity, templates, "en", 1).write(reader)

    words = decode_part(letter, "text").replace("\r\n", "\n")
    subject = message_from_bytes(letter.content, policy=policy.default)["Subject"]
    assert hits(words) + hits(subject) == []


def test_there_are_samples():
    assert {"README.md-0", "campaign_file.md-0", "harvest_forum.en.md", "library.tr.md"} <= set(SAMPLES)


@pytest.mark.parametrize("file", WORDS, ids=lambda file: file.name)
def test_no_template_and_no_page_greets_as_fraud_does(file):
    text = re.sub(r"Avoid \"Dear friend\".*?\"Dear Sir\" 2", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)

    assert [line for line in text.splitlines() if hits(line)] == []
