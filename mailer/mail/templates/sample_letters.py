"""Sample letters of every kind, on which an organiser's template is tried before it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from mailer.domain.keyring import KEY_OCTETS, Keyring
from mailer.domain.letters.letter_template import LetterTemplate
from mailer.domain.mailing_list import ArchiveMode, MailingList
from mailer.domain.site import ListIdentity, Site
from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.compose.compile_letter import compile_letter
from mailer.mail.compose.letter_resources import LetterResources
from mailer.mail.compose.personalise import Recipient
from mailer.mail.compose.templates import SOURCE_LANGUAGE, Templates
from mailer.mail.message.letter import Letter, decode_part

BODY_WORD, ADDRESS_WORDS = "seedlings", ("Orchard Lane", "Appleton")
"""Words of the samples' body, and of the lines of their postal address, which no other text of theirs has."""
LEAVE_PATH = "/leave/"
_NAME = "own"
_DAY = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
_KEYRING = Keyring(pepper=bytes(KEY_OCTETS), keys=((1, bytes(KEY_OCTETS)),))
_SITE = Site(
    name="Orchard Forum",
    domain="lists.example.org",
    url="https://lists.example.org",
    owner="ada@example.org",
    keyring=_KEYRING,
)
_BARE_LIST = MailingList(id=1, name="news", title="News", description="", language="en", owner="ada@example.org")
_FULL_LIST = replace(
    _BARE_LIST,
    title='Letters & <words> "of" the forum',
    postal_address=f"{ADDRESS_WORDS[0]} 7\n12345 {ADDRESS_WORDS[1]}",
    reason="You asked for letters of the forum.",
    accent_color="#8a1c4a",
    logo=f"/media/{'0' * 32}/tree-480x120.png",
    archive=ArchiveMode.PUBLIC,
)
_READER = Recipient(
    delivery_id=0,
    subscription_id=0,
    address="rosa@example.org",
    name="Rosa",
    attributes={"city": "Izmir"},
    dated_at=_DAY,
)
_BODY = f"""\
Dear {{{{ name or "friend" }}}},

bring **{BODY_WORD}** and [read on](https://forum.example.org/read).

## What we do

- We sow.
- We water, and *talk*.

> It takes a summer.

| Hour | What |
|---|---|
| 19:00 | We begin |

::: callout
Bring a **jar**.[^1]
:::

::: columns
::: column
For the seeds.
:::
::: column
And for [the soil](https://forum.example.org/soil).
:::
:::

[Say that you come](https://forum.example.org/come){{.button}}

[^1]: With a lid.

::: signature
Rosa
Seed Circle
:::
"""
_FULL = f"""\
---
template: {_NAME}
subject: 'Come, {{{{ name or "friend" }}}}, to the harvest forum & "bring" <seeds>'
title: An evening on seeds
lead: |
  One evening, {{{{ name or "friend" }}}},
  for all who have a garden & a question.
preheader: On Friday in the old barn
event:
  name: Harvest <forum>
  place: The old barn & yard
  starts: 2027-03-05T19:00
  zone: Europe/Berlin
action:
  label: Say that you come
  url: https://forum.example.org/come?from=letter&who={{{{ name or "x" }}}}
closing: The forum's people
source:
  text: The forum's bulletin
  url: https://forum.example.org/bulletin
tags: [harvest, "<seeds>"]
---
{_BODY}"""
_DAYLONG = (
    f"---\ntemplate: {_NAME}\nsubject: A day\nevent:\n  name: A day\n  starts: 2027-03-05\n  zone: Europe/Berlin\n"
    f"source: A bulletin\n---\n{BODY_WORD}\n"
)
_BARE = f"---\ntemplate: {_NAME}\nsubject: News\n---\n{BODY_WORD}\n"
_ODD = (
    f'---\ntemplate: {_NAME}\nsubject: "\'{"W" * 120}<&>"\nlead: "{"ẞ" * 300}"\n'
    f"tags: [{', '.join(f'tag{number}' for number in range(150))}]\n---\n{BODY_WORD} {'x' * 3000} מילים कुछ 文字\n"
)
_LONG = _FULL + "\n" + "\n\n".join(f"{number}. word " + "of a long letter " * 25 for number in range(30)) + "\n"
_ENDLESS = _BARE + "\n" + "a\n\n" * 2500


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """One letter to try a template on."""

    name: str
    """What the letter is, for messages: `a long letter`."""
    text: str
    mailing_list: MailingList
    language: str = SOURCE_LANGUAGE
    """Of the letter."""
    reader_language: str = SOURCE_LANGUAGE
    """Of our own phrases."""
    may_be_refused: bool = False
    """Whether the letter is too long for some templates, which must then say so."""


def list_samples(templates: Templates) -> Iterator[Sample]:
    """The samples; the full letter stands in each language of letters."""
    yield full_sample(SOURCE_LANGUAGE)
    yield Sample(name="a letter of a few words", text=_BARE, mailing_list=_BARE_LIST)
    yield Sample(name="a letter on a day without hours", text=_DAYLONG, mailing_list=_BARE_LIST)
    yield Sample(name="a letter with long words", text=_ODD, mailing_list=_FULL_LIST)
    yield Sample(name="a long letter", text=_LONG, mailing_list=_FULL_LIST)
    for language in templates.languages[1:]:
        yield full_sample(language)
    yield replace(full_sample("he"), reader_language="de", name="a Hebrew letter with German phrases")
    yield Sample(name="an endless letter", text=_ENDLESS, mailing_list=_FULL_LIST, may_be_refused=True)


def full_sample(language: str) -> Sample:
    """A letter with everything that a letter may have, in one of the languages of letters."""
    name = f"a letter in language {language}"
    return Sample(name=name, text=_FULL, mailing_list=_FULL_LIST, language=language, reader_language=language)


def shown_sample(language: str) -> Sample:
    """The full letter to look at: its logo, which nobody has, is left out."""
    full = full_sample(language)
    return replace(full, mailing_list=replace(full.mailing_list, logo=None))


def render_sample(html: str, sample: Sample, templates: Templates) -> str:
    """The HTML part of Rosa's letter. Raises CampaignFileRefused where it is too long."""
    return decode_part(write_sample(html, sample, templates), "html")


def write_sample(html: str, sample: Sample, templates: Templates) -> Letter:
    """Rosa's letter. Raises as render_sample."""
    template = LetterTemplate(id=0, name=_NAME, source="", html=html, added_at=_DAY, added_by="")
    resources = LetterResources(templates={_NAME: template}, languages=(sample.language,))
    identity = ListIdentity(site=_SITE, mailing_list=sample.mailing_list)
    letter = parse_campaign_file(sample.text, sample.language)
    return compile_letter(letter, identity, templates, sample.reader_language, 1, resources).write(_READER)
