"""Workload: letters are compiled, shown while one writes, and written for each reader; without a database or relay."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from bench.figure import Figure, percentile
from bench.process import ROOT
from bench.workloads import BenchmarkRun
from mailer.domain.keyring import Keyring
from mailer.domain.mailing_list import MailingList
from mailer.domain.site import ListIdentity, Site
from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.compose.compile_letter import CompiledLetter, compile_letter
from mailer.mail.compose.draft_cache import DraftCache
from mailer.mail.compose.letter_resources import NO_RESOURCES
from mailer.mail.compose.personalise import Recipient
from mailer.mail.compose.templates import Templates

_LANGUAGES = ("en", "de", "tr", "ar", "zh")
_LETTERS, _PREVIEWS, _ROUNDS = 4000, 60, 5
_NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
_PICTURE = (
    "\n![Apples in a basket](https://lists.example.org/media/0123456789abcdef0123456789abcdef/apples-1200x800.jpg)\n"
)
_TEXT = """---
subject: Come to the harvest forum, {{{{ name or "friend" }}}}
language: {language}
lead: Two days of seeds, bread and plans.
event: {{name: Harvest forum, starts: "2027-05-08T10:00", zone: Europe/Berlin, place: The old mill}}
action: {{label: I am coming, url: "https://forum.example.org/come"}}
---
Dear {{{{ name or "friend" }}}} in {{{{ town or "your town" }}}},
{picture}
{paragraphs}
"""
_PARAGRAPHS = "\n\n".join(
    ["**Bring seeds**, a chair and [questions](https://forum.example.org/ask) for the table."] * 25
)


def measure_letters(_run: BenchmarkRun) -> Iterator[Figure]:
    """Compile five editions, preview changing drafts, and write letters with and without a picture, in turns."""
    templates = Templates(ROOT / "templates", ROOT / "mailer" / "locale")
    for language in _LANGUAGES:
        _compile(templates, language)  # catalogues and templates are read once
    began = time.perf_counter()
    for language in _LANGUAGES:
        _compile(templates, language)
    yield Figure(
        work="five editions are compiled",
        value=(time.perf_counter() - began) * 1000,
        unit="ms",
        bar=1000,
        less_is_better=True,
    )
    yield _measure_previews(templates)
    yield _measure_writing(templates)


def _measure_previews(templates: Templates) -> Figure:
    cache, took = DraftCache(), []
    for number in range(_PREVIEWS):
        began = time.perf_counter()
        text = _text("en") + f"\n{number}\n"
        cache.letter(text, "en", _identity(), templates, 7, NO_RESOURCES, "en").write(_reader(number))
        took.append((time.perf_counter() - began) * 1000)
    return Figure(
        work="a changed draft is shown as one person gets it, 95th percentile",
        value=percentile(took, 0.95),
        unit="ms",
        bar=50,
        less_is_better=True,
        details={"median_ms": percentile(took, 0.5)},
    )


def _measure_writing(templates: Templates) -> Figure:
    plain, pictured = _compile(templates, "en"), _compile(templates, "en", _PICTURE)
    rounds = [(_letters_per_second(plain), _letters_per_second(pictured)) for _ in range(_ROUNDS)]
    return Figure(
        work="letters with a picture are written for their readers, one core",
        value=max(one[1] for one in rounds),
        unit="letters/s",
        yardstick="the same letter without the picture",
        its_value=max(one[0] for one in rounds),
        bar=0.95,
    )


def _letters_per_second(compiled: CompiledLetter) -> float:
    readers = [_reader(number) for number in range(_LETTERS)]
    began = time.perf_counter()
    for one in readers:
        compiled.write(one)
    return _LETTERS / (time.perf_counter() - began)


def _compile(templates: Templates, language: str, picture: str = "") -> CompiledLetter:
    campaign_file = parse_campaign_file(_text(language, picture), language)
    return compile_letter(campaign_file, _identity(), templates, language, 7, NO_RESOURCES)


def _text(language: str, picture: str = "") -> str:
    return _TEXT.format(language=language, picture=picture, paragraphs=_PARAGRAPHS)


def _identity() -> ListIdentity:
    site = Site(
        name="Open Letters",
        domain="lists.example.org",
        url="https://lists.example.org",
        owner="ada@example.org",
        keyring=Keyring(pepper=bytes(32), keys=((1, bytes(32)),)),
    )
    mailing_list = MailingList(
        id=1,
        name="appeals",
        title="Open Appeals",
        description="",
        language="en",
        owner="ada@example.org",
        postal_address="Mill Lane 3\n50667 Cologne",
    )
    return ListIdentity(site=site, mailing_list=mailing_list)


def _reader(number: int) -> Recipient:
    return Recipient(
        delivery_id=number + 1,
        subscription_id=number + 1,
        address=f"person{number}@example.org",
        name=f"Person {number}",
        attributes={"town": f"Town {number}"},
        dated_at=_NOW,
    )
