"""Sample letters in every template, language and kind, written by the same functions as a campaign's."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from mailer.domain.keyring import Keyring
from mailer.domain.mailing_list import ArchiveMode, MailingList
from mailer.domain.site import ListIdentity, Site
from mailer.mail.compose.campaign_file import parse_campaign_file
from mailer.mail.compose.compose_letter import compose_letter
from mailer.mail.compose.letter_resources import LetterResources
from mailer.mail.compose.personalise import Recipient, personalise
from mailer.mail.compose.templates import Templates
from mailer.mail.message.letter import Letter
from tests.support.app_helpers import ROOT

TEMPLATES = Templates(ROOT / "templates", ROOT / "mailer" / "locale")
KINDS = ("event", "picture", "long", "short")
PICTURE_PATH = f"/media/{'3f' * 16}/apples-1200x800.jpg"
LOGO_PATH = f"/media/{'4c' * 16}/circle-400x120.png"
SITE = Site(
    name="Open Letters",
    domain="lists.example.org",
    url="https://lists.example.org",
    owner="ada@example.org",
    keyring=Keyring(pepper=b"p" * 32, keys=((1, b"k" * 32),)),
)
READER = Recipient(
    delivery_id=7,
    subscription_id=3,
    address="rosa@example.org",
    name="",
    attributes={"town": "Köln"},
    dated_at=datetime(2026, 12, 1, 8, 0, tzinfo=UTC),
)
Words = Mapping[str, str]


@cache
def load_words() -> Mapping[str, Words]:
    """The words of sample letters, by language."""
    return tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))


def make_identity(language: str, *, accent_color: str | None = None, logo: str | None = None) -> ListIdentity:
    """A list with a public archive, a postal address and a reason of its own."""
    words = load_words()[language]
    mailing_list = MailingList(
        id=1,
        name="mill",
        title=words["list_title"],
        description="",
        language=language,
        owner="ada@example.org",
        postal_address=words["address"],
        reason=words["reason"],
        archive=ArchiveMode.PUBLIC,
        accent_color=accent_color,
        logo=logo,
    )
    return ListIdentity(site=replace(SITE, name=words["site_name"]), mailing_list=mailing_list)


def write_letter(
    template: str, language: str, kind: str, identity: ListIdentity | None = None, recipient: Recipient = READER
) -> Letter:
    """The letter that a reader gets, unsigned."""
    campaign_file = parse_campaign_file(campaign_text(template, language, kind), language)
    composed = compose_letter(
        campaign_file,
        identity or make_identity(language),
        TEMPLATES,
        language,
        campaign_id=42,
        resources=LetterResources(languages=(language,)),
    )
    return personalise(composed, replace(recipient, name=load_words()[language]["reader"], language=language))


def campaign_text(template: str, language: str, kind: str) -> str:
    """The campaign file of a sample."""
    words = load_words()[language]
    quoted = {name: _quote(text) for name, text in words.items()}
    lines = [f"subject: {quoted['subject']}", f"template: {template}", f"language: {language}"]
    if kind in {"event", "long"}:
        when = "starts: 2026-12-04T19:00, ends: '21:30', zone: Europe/Berlin"
        lines += [f"title: {quoted['title']}", f"lead: {quoted['lead']}"]
        lines += [f"event: {{name: {quoted['event']}, place: {quoted['place']}, {when}}}"]
    if kind != "short":
        url = 'https://forum.example.org/join?by={{ name or "" }}'
        lines += [f"action: {{label: {quoted['button']}, url: '{url}'}}", f"closing: {quoted['closing']}"]
    if kind == "long":
        lines += [f"source: {{text: {quoted['source']}, url: 'https://forum.example.org/plan'}}"]
        lines += [f"tags: [{quoted['tag']}, 2026]", "answers: https://forum.example.org/spring"]
    return "\n".join(["---", *lines, "---", "", _body(words, kind), ""])


def _body(words: Words, kind: str) -> str:
    greeting = f'{words["greeting"]}, {{{{ name or "…" }}}}.'
    if kind == "short":
        return f"{greeting}\n\n{words['lead']}"
    if kind == "event":
        return f"{greeting}\n\n{words['paragraph']}\n\n{words['more']}"
    picture = f'![{words["alt"]}]({PICTURE_PATH} "{words["caption"]}")'
    if kind == "picture":
        return "\n\n".join(
            [greeting, f"## {words['first']}", picture, words["paragraph"], f"## {words['second']}", words["more"]]
        )
    return _long_body(words, greeting, picture)


def _long_body(words: Words, greeting: str, picture: str) -> str:
    rows = f"| {words['place']} | 40 |\n| {words['list_title']} | 12 |"
    column = "::: column\n**{}**\n\n{}\n:::\n"
    left, right = column.format(words["first"], words["lead"]), column.format(words["third"], words["quote"])
    parts = [
        greeting,
        words["paragraph"],
        f"## {words['first']}",
        picture,
        words["more"],
        f"- {words['item']}\n- {words['first']}\n- {words['third']}",
        f"> {words['quote']}",
        f"::: callout\n**{words['event']}.** {words['lead']}\n:::",
        f"## {words['second']}",
        f"{words['paragraph']}[^1]",
        f"1. {words['place']}\n2. {words['item']}",
        f"[{words['button']}](https://forum.example.org/way){{.button}}",
        f"### {words['third']}",
        f"| {words['event']} | {words['third']} |\n|---|--:|\n{rows}",
        f":::: columns\n{left}{right}::::",
        "---",
        *[words["paragraph"], words["more"]] * 6,
        "::: signature\n" + words["closing"].replace("\n", "\\\n") + "\n:::",
        f"[^1]: {words['source']}",
    ]
    return "\n\n".join(parts)


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
