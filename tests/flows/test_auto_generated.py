"""Marks: what providers put on people's mail has none of it thrown away, and no program's mail joins or confirms."""

from __future__ import annotations

import asyncio
import smtplib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from sqlalchemy import Connection, select

from mailer.actions.inbound.process_mail import process_incoming_mails
from mailer.actions.subscriptions.subscribe import subscribe
from mailer.app import App
from mailer.domain.abuse_limits import DAY, CounterKind
from mailer.domain.address import Address
from mailer.domain.consent import Channel, Evidence
from mailer.domain.subscription_request import SubscriptionRequest
from mailer.domain.token import Purpose, sign_token
from mailer.store import counters
from mailer.store.incoming_mails import IncomingState
from mailer.store.people_tables import incoming, subscriber, subscription
from tests.support.app_helpers import (
    ADA,
    DOMAIN,
    Clock,
    import_rows,
    open_list,
    parse_letter,
    receive_raw_mail,
    send_notices,
)
from tests.support.fake_relay import FakeRelay
from tests.support.running_service import running_service

PEOPLES = (
    "Feedback-ID: i1234abcd:Fastmail",
    "Feedback-ID: 40412345:user:proton\r\nX-Pm-Message-ID: 0f1e2d3c4b5a",
    "X-Auto-Response-Suppress: DR, OOF, AutoReply\r\nX-MS-Has-Attach:\r\nX-MS-Exchange-Organization-SCL: -1",
    "X-Auto-Response-Suppress: All\r\nX-MS-Exchange-Inbox-Rules-Loop: nina@reader.example",
    "X-Loop: team@reader.example",
    "List-Unsubscribe: <mailto:leave@gateway.example>, <https://gateway.example/leave>",
    "List-Id: <team.reader.example>\r\nList-Help: <mailto:help@reader.example>",
    "Precedence: first-class",
    "Precedence: normal\r\nPriority: urgent\r\nImportance: high",
    "Auto-Submitted: no\r\nX-Autoreply: no\r\nX-Autorespond: no",
    "Delivered-To: nina@reader.example\r\nX-Forwarded-To: nina@reader.example",
    "Return-Receipt-To: nina@reader.example\r\nDisposition-Notification-To: nina@reader.example",
    "X-RT-Loop-Prevention: reader.example\r\nX-BeenThere: desk@reader.example",
    "Subject: Auto: wer nimmt mich mit?",
    "Subject: Abwesenheit am Samstag",
    "Subject: Vacation plans",
    "Subject: Out of office furniture, who wants it?",
    "Subject: Returned mail bags, and other good news",
    "Subject: Fuera de la oficina, comida para todos",
    "Subject: 外出野餐",
)
"""What mail systems leave on mail that a person wrote, and subjects that people give to theirs."""

PROGRAMS = (
    "Auto-Submitted: auto-replied\r\nSubject: Re: your letter",
    "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\nSubject: Automatic reply: your letter",
    "Precedence: bulk\r\nX-Loop: desk@desk.example\r\nSubject: [Desk #4711] We have your request",
    "Precedence: bulk\r\nSubject: Please confirm that you are a person",
    "Precedence: junk\r\nSubject: away from my mail",
    "X-Autoreply: yes\r\nPrecedence: auto_reply",
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\nSubject: Undelivered Mail",
    "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\nSubject: Read: your letter",
    "Auto-Submitted: auto-notified\r\nSubject: Cron <root@desk> backup",
    "X-Failed-Recipients: nina@reader.example\r\nSubject: Mail delivery failed",
)
"""What programs send by themselves."""
LISTS = (
    "List-Id: <team.desk.example>\r\nPrecedence: list\r\nSubject: [team] subscribe",
    "List-Unsubscribe: <https://desk.example/u>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click",
)
"""What comes by somebody else's mailing list: its envelope is the list's."""


LIST_ENVELOPE = "team-bounces+nina=reader.example@desk.example"


@dataclass(frozen=True)
class Mail:
    """What somebody hands in at the door."""

    number: int
    to: str
    fields: str
    text: str
    envelope: str | None = None

    @property
    def author(self) -> str:
        return f"nina@reader{self.number}.example"

    @property
    def octets(self) -> bytes:
        head = f"From: Nina <{self.author}>\r\nTo: {self.to}@{DOMAIN}\r\nMessage-ID: <{self.number}@reader.example>\r\n"
        return f"{head}{self.fields}\r\n\r\n{self.text}\r\n".encode()


async def hand_in(app: App, mails: Sequence[Mail]) -> None:
    """All of them come in at the real door, which closes then."""

    def by_smtp(port: int) -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
            for one in mails:
                sender = one.author if one.envelope is None else one.envelope
                client.sendmail(sender, [f"{one.to}@{DOMAIN}"], one.octets)

    async with running_service(app) as service:
        await asyncio.to_thread(by_smtp, service.ports.intake_port)


async def settle_down(app: App) -> None:
    while await process_incoming_mails(app):
        pass
    await send_notices(app)


async def fates(app: App, relay: FakeRelay, mails: Sequence[Mail]) -> dict[int, str]:
    """What became of each."""
    answered = {letter.recipient for letter in relay.letters}
    carried = {
        str(parse_letter(one)["Reply-To"]) for one in relay.letters if one.recipient in {ADA, "owner@example.net"}
    }
    kept, standing = await app.database.read(_kept), await app.database.read(_standing)
    found = {}
    for one in mails:
        outcomes = [standing[one.author]] if one.author in standing else []
        outcomes += ["answered"] if one.author in answered else []
        outcomes += ["carried"] if one.author in carried else []
        outcomes += ["kept"] if any(one.author.encode() in raw for raw in kept) else []
        found[one.number] = " ".join(outcomes)
    return found


def _kept(tx: Connection) -> list[bytes]:
    return list(tx.execute(select(incoming.c.raw).where(incoming.c.state == IncomingState.KEPT)).scalars())


def _standing(tx: Connection) -> dict[str, str]:
    rows = tx.execute(select(subscriber.c.address, subscription.c.state).join_from(subscription, subscriber))
    return {address: state for address, state in rows}


async def known(app: App, numbers: Sequence[int], *, confirmed: bool) -> dict[int, int]:
    """People who asked to join, or joined: their numbers, and those of their subscriptions."""
    if confirmed:
        await import_rows(app, *(f"nina@reader{number}.example,Nina,en" for number in numbers))
    for number in () if confirmed else numbers:
        asked = Evidence(Channel.LINK, {"client": "test"})
        address = Address(f"nina@reader{number}.example")
        await subscribe(app, SubscriptionRequest(list_name="appeals", address=address, evidence=asked))

    def ids(tx: Connection) -> dict[str, int]:
        rows = tx.execute(select(subscriber.c.address, subscription.c.id).join_from(subscription, subscriber))
        return {address: number for address, number in rows}

    found = await app.database.read(ids)
    return {number: found[f"nina@reader{number}.example"] for number in numbers}


def cases() -> Iterator[tuple[str, str, str, str | None]]:
    """Where it goes, what becomes of it, its fields, and its envelope sender where that is not the author."""
    ways = cycle(
        (
            ("join", "pending answered"),
            ("post", "carried"),
            ("confirm", "confirmed answered"),
            ("reply", "unsubscribed answered"),
        )
    )
    for fields in PEOPLES:
        yield "owner", "carried", fields, None
        yield from ((*way, fields, None) for way in islice(ways, 2))
    ways = cycle((("join", "kept"), ("post", "kept"), ("confirm", "pending kept"), ("reply", "confirmed kept")))
    for fields, people in zip(PROGRAMS, cycle(("owner", "postmaster", "abuse"))):
        yield people, "carried", fields, None
        yield from ((*way, fields, None) for way in islice(ways, 2))
    for fields, envelope in ((LISTS[0], LIST_ENVELOPE), (LISTS[1], LIST_ENVELOPE), ("Subject: hello", "")):
        for way in (("owner", "carried"), ("help", "kept"), ("confirm", "pending kept")):
            yield *way, fields, envelope
    yield "post", "carried", LISTS[0], LIST_ENVELOPE


async def test_no_mark_loses_a_persons_mail_and_no_marked_mail_of_a_program_joins_confirms_or_is_answered(
    app: App, again: Callable[[], App], relay: FakeRelay
) -> None:
    await open_list(app)
    kinds = Counter(kind for kind, *_ in cases())
    pending = await known(app, range(kinds["confirm"]), confirmed=False)
    readers = await known(app, range(500, 500 + kinds["reply"]), confirmed=True)
    await send_notices(app)
    relay.letters.clear()
    tokens = {
        "confirm": ((number, sign_token(app.site.keyring, Purpose.CONFIRM, of)) for number, of in pending.items()),
        "reply": ((number, sign_token(app.site.keyring, Purpose.REPLY, of)) for number, of in readers.items()),
    }
    texts, mails, expected = {"confirm": "yes", "reply": "stop"}, list[Mail](), dict[int, str]()
    for new, (kind, outcomes, fields, envelope) in enumerate(cases(), 1000):
        number, token = next(tokens[kind]) if kind in tokens else (new, "")
        to = {"post": "appeals", "postmaster": kind, "abuse": kind}.get(kind, f"appeals-{kind}")
        text = texts.get(kind, "Is there a bus?")
        mails.append(Mail(number, f"{to}+{token}" if token else to, fields, text, envelope))
        expected[number] = outcomes

    await hand_in(app, mails)
    app = again()
    await settle_down(app)

    assert await fates(app, relay, mails) == expected


async def test_what_would_go_round_is_kept(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    own = app.site.message_id(7)
    rounds = {
        "the owner's own automatic reply": (ADA, "Auto-Submitted: auto-replied"),
        "an answer by a program to what we carried": (
            "desk@example.net",
            f"Auto-Submitted: auto-replied\r\nIn-Reply-To: {own}",
        ),
        "one that does not say so": ("desk@example.net", f"Subject: Automatic reply: hall\r\nReferences: {own}"),
        "a letter of ours": ("desk@example.net", f"Message-ID: {own}"),
        "from a list of ours": (f"appeals@{DOMAIN}", "Subject: hello"),
    }
    for sender, fields in rounds.values():
        await receive_raw_mail(
            app, f"From: {sender}\r\n{fields}\r\n\r\nhello\r\n".encode(), "appeals-owner", sender=sender
        )

    assert relay.letters == []
    assert len(await app.database.read(_kept)) == len(rounds)


async def test_an_owner_whose_program_answers_everything_gets_so_much_of_it_a_day(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)
    await app.database.write(
        lambda tx: [counters.increment(tx, CounterKind.FORWARDED, "appeals", DAY, clock()) for _ in range(198)]
    )
    ticket = "From: desk@example.net\r\nAuto-Submitted: auto-generated\r\nSubject: #{number}\r\n\r\nOpened\r\n"

    # Each letter to the owner opens a ticket, of which we are told.
    for number in range(5):
        await receive_raw_mail(app, ticket.format(number=number).encode(), "appeals-owner", sender="desk@example.net")
    await receive_raw_mail(app, b"From: rosa@example.org\r\n\r\nIs there a bus?\r\n", "appeals-owner")
    clock.advance(days=1)
    await receive_raw_mail(app, ticket.format(number=9).encode(), "appeals-owner", sender="desk@example.net")

    assert [parse_letter(one)["Subject"] for one in relay.letters] == ["#0", "#1", f"appeals-owner@{DOMAIN}", "#9"]
    assert len(await app.database.read(_kept)) == 3


async def test_a_vacation_program_without_marks_neither_confirms_nor_reaches_the_owner(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)
    pending, readers = await known(app, [1], confirmed=False), await known(app, [2], confirmed=True)
    await send_notices(app)
    relay.letters.clear()
    confirm = f"appeals-confirm+{sign_token(app.site.keyring, Purpose.CONFIRM, pending[1])}"
    reply = f"appeals-reply+{sign_token(app.site.keyring, Purpose.REPLY, readers[2])}"
    away = f"Subject: Abwesenheitsnotiz: Ihr Brief\r\nIn-Reply-To: {app.site.message_id(1)}"
    for mail in (Mail(1, confirm, away, "Ich bin bis Montag nicht da."), Mail(2, reply, away, "Ich bin nicht da.")):
        await receive_raw_mail(app, mail.octets, mail.to, sender=mail.author)

    assert relay.letters == []
    assert await app.database.read(_standing) == {
        "nina@reader1.example": "pending",
        "nina@reader2.example": "confirmed",
    }
    assert len(await app.database.read(_kept)) == 2
