"""Whose word counts, through the mail door: signed mails as they are, captured, put together anew, and answered."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from mailer.actions.inbound.process_mail import process_incoming_mails
from mailer.actions.inbound.receive import MailReceiver
from mailer.actions.subscriptions.show_person import show_person
from mailer.app import App
from mailer.domain.imports.legacy_list import LegacyList, LegacySoftware
from mailer.entrypoints.smtp.handler import SmtpServerConfig
from mailer.entrypoints.smtp.server import smtp_server_config, start_smtp_server
from mailer.settings.intake_tables import IntakeSettings
from mailer.store import subscriptions
from tests.support.app_helpers import (
    ADMIN,
    DOMAIN,
    Clock,
    import_rows,
    open_list,
    parse_letter,
    recipients,
    send_notices,
)
from tests.support.dns_zone import Zone
from tests.support.fake_relay import FakeRelay
from tests.support.signed_mail import dkim_zone, sign_mail

LEAVE, LIST, REQUEST = (f"{name}@{DOMAIN}" for name in ("appeals-leave", "appeals", "appeals-request"))
H = "from:to:cc:subject:date"
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What has nothing to do with the database need not be tried on both."""


@dataclass(frozen=True)
class Post:
    """A service behind its mail door that looks keys up in a zone of ours; its people are all on the list."""

    app: App
    port: int
    clock: Clock

    async def hand_in(self, mail: bytes, *to: str, sender: str = "mallory@example.com") -> None:
        """By a stranger's host; and it is acted on, and what is written because of it goes out."""

        def talk() -> None:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=10) as client:
                client.sendmail(sender, to or (LEAVE,), mail)

        await asyncio.to_thread(talk)
        while await process_incoming_mails(self.app):
            pass
        await send_notices(self.app)

    async def is_on(self, person: str) -> bool:
        return (await show_person(self.app, ADMIN, person)).subscriptions["appeals"] == "confirmed"

    async def language_of(self, person: str) -> str | None:
        found = await self.app.database.read(subscriptions.find, 1, person)
        return found.language if found else None


@pytest.fixture
async def post(app: App, clock: Clock, tmp_path: Path) -> AsyncIterator[Post]:
    zone = dkim_zone() | dkim_zone("example.org.evil.example")
    settings = IntakeSettings(port=0, spool=tmp_path / "spool", keep_free_megabytes=0, mail_servers=())
    place = SmtpServerConfig(
        host="127.0.0.1", port=0, protocol="smtp", hostname=DOMAIN, domain=DOMAIN, spool=settings.spool
    )
    async with Zone(zone) as names:
        app = replace(app, dns=names.dns(), intake=settings)
        await open_list(app)
        intake = await start_smtp_server(place, MailReceiver(app, settings))
        yield Post(app, intake.port, clock)
        await intake.close()


def written(person: str, at: str, body: str = "", *, h: str = H, **fields: str) -> bytes:
    """A mail of hers to LEAVE, as her domain signed it."""
    head = {"From": person, "To": LEAVE, "Subject": "x", "Date": at} | fields
    mail = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in head.items() if value)
    return sign_mail(f"{mail}\r\n{body}\r\n".encode(), h=h, t="")


AS_SHE_WROTE = (
    {},
    {"To": f"<{LEAVE.upper()}>"},
    {"To": f"Open Appeals <{LEAVE}>, Emma <emma@example.org>"},
    {"To": "emma@example.org", "Cc": f"the list: {LIST}, {LEAVE};"},
    {"To": f'"appeals-leave"@{DOMAIN} (please)'},
    {"Subject": "Re: x", "body": "unsubscribe\r\n\r\n> said somebody"},
)
CAPTURED = (
    {"To": LIST},
    {"To": f"{LEAVE}.evil.example"},
    {"To": f"x-{LEAVE}"},
    {"To": f'"{LEAVE}" <emma@example.org>'},
    {"To": f"{LEAVE} <emma@example.org>"},
    {"To": f'"{LEAVE}"@evil.example'},
    {"To": f"emma@example.org ({LEAVE})"},
    {"To": f"=?utf-8?q?{LEAVE.replace('@', '=40')}?= <emma@example.org>"},
    {"To": f"=?utf-8?q?appeals-leave?=@{DOMAIN}"},
    {"To": f"emma@example.org;{LEAVE}"},
    {"To": "", "Subject": f"to {LEAVE}"},
    {"h": "from:subject:date"},
    {"h": "from:to:date"},
    {"Cc": "emma@example.org", "h": "from:to:subject:date"},
    {"h": "from:to:subject"},
    {"days": 3.1},
    {"days": -1.1},
    {"Subject": "Re: your ticket 17", "body": "I am away until Monday."},
    {"Subject": "Re: unsubscribe", "body": "We have got your mail, and will answer it."},
    {"In_Reply_To": f"<x@{DOMAIN}>", "body": ""},
)


@SQLITE
async def test_her_own_signed_mail_takes_her_off_and_no_other_mail_of_hers_does(post: Post, relay: FakeRelay) -> None:
    cases = [(case, False) for case in AS_SHE_WROTE] + [(case, True) for case in CAPTURED]
    people = [f"p{number}@example.org" for number in range(len(cases))]
    await import_rows(post.app, *(f"{person},,en" for person in people))

    for person, (case, _) in zip(people, cases, strict=True):
        changed = dict(case)
        at = format_datetime(post.clock() - timedelta(days=changed.pop("days", 0)))
        await post.hand_in(written(person, at, **changed), LIST, LEAVE)

    assert [case for person, case in zip(people, cases, strict=True) if await post.is_on(person) != case[1]] == []


@SQLITE
async def test_what_is_put_on_top_of_a_signed_mail_makes_it_prove_nothing(post: Post, relay: FakeRelay) -> None:
    tops = (
        f"To: {LEAVE}",
        f"Cc: {LEAVE}",
        "Subject: unsubscribe",
        f"From: Emma <emma@example.org>\r\nTo: {LEAVE}",
        f"Date: {format_datetime(post.clock())}",
        f"Resent-To: {LEAVE}",
        f"Apparently-To: {LEAVE}",
        f"To : {LEAVE}",
    )
    people = [f"p{number}@example.org" for number in range(2 * len(tops))]
    await import_rows(post.app, *(f"{person},,en" for person in people))

    for number, person in enumerate(people):
        days = 4 if tops[number // 2].startswith("Date") else 0
        at = format_datetime(post.clock() - timedelta(days=days))
        mail = written(person, at, To=LIST if not days else LEAVE, h=(H, "from:to:subject:date")[number % 2])
        await post.hand_in(f"{tops[number // 2]}\r\n".encode() + mail, LIST, LEAVE)

    assert [person for person in people if not await post.is_on(person)] == []


async def test_a_mail_that_was_heard_is_heard_once_however_it_is_dressed_up(post: Post, relay: FakeRelay) -> None:
    rosa, emma = "rosa@example.org", "emma@example.org"
    await import_rows(post.app, f"{rosa},,en", f"{emma},,en")
    at = format_datetime(post.clock())
    languages = [written(rosa, at, To=REQUEST, Subject=f"language {tag}") for tag in ("de", "tr")]
    both = written(emma, at, To=f"{REQUEST}, {LIST}", Subject="language fr")

    for mail in languages:
        await post.hand_in(mail, REQUEST)
    copy = languages[0].replace(b"\r\nTo: ", b"\r\nX-Copy: 1\r\nMessage-ID: <1@x>\r\nTo:   ")
    await post.hand_in(copy, REQUEST)
    # One mail to two addresses of ours, which a mail server may hand in one by one, is not heard twice.
    await post.hand_in(both, LIST)
    await post.hand_in(b"X-Queue: 2\r\n" + both, REQUEST)

    assert [await post.language_of(name) for name in (rosa, emma)] == ["tr", "fr"]


async def test_where_a_mail_names_one_of_two_addresses_it_is_judged_for_each(post: Post, relay: FakeRelay) -> None:
    rosa = "rosa@example.org"
    await import_rows(post.app, f"{rosa},,en")
    mail = written(rosa, format_datetime(post.clock()), To=REQUEST, Subject="language de")

    await post.hand_in(mail, LEAVE, REQUEST)

    assert await post.is_on(rosa)
    assert await post.language_of(rosa) == "de"
    asked = next(
        letter for letter in relay.letters if "Reply-To" in parse_letter(letter) and b"leave+" in letter.content
    )
    assert recipients(relay) == [rosa, rosa]
    assert parse_letter(asked)["In-Reply-To"] is None


@SQLITE
async def test_a_mail_to_an_old_address_counts_as_one_to_ours(
    app: App, clock: Clock, tmp_path: Path, relay: FakeRelay
) -> None:
    old = LegacyList(
        list_name="appeals",
        software=LegacySoftware.MAILMAN3,
        name="talk",
        addresses=("talk@lists.example.com",),
    )
    settings = IntakeSettings(port=0, spool=tmp_path / "spool", keep_free_megabytes=0, mail_servers=())
    async with Zone(dkim_zone()) as names:
        app = replace(app, dns=names.dns(), intake=settings, legacy_lists=(old,))
        await open_list(app)
        await import_rows(app, "p1@example.org,,en", "p2@example.org,,en", "p3@example.org,,en")
        intake = await start_smtp_server(smtp_server_config(app, settings), MailReceiver(app, settings))
        post = Post(app, intake.port, clock)
        at = format_datetime(clock())
        for person, to, named, subject in (
            ("p1", "talk-leave", "talk-leave@lists.example.com", "x"),
            ("p2", "talk-leave", "talk-leave@elsewhere.example", "x"),
            ("p3", "talk-request", "Talk-Request@Lists.example.com", "unsubscribe"),
        ):
            mail = written(f"{person}@example.org", at, To=named, Subject=subject)
            await post.hand_in(mail, f"{to}@lists.example.com")
        still_on = [one for one in ("p1", "p2", "p3") if await post.is_on(f"{one}@example.org")]
        await intake.close()

    assert still_on == ["p2"], "who is asked by letter, since nothing signed says that it was for us"
