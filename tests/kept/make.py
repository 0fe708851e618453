"""Make the kept databases of a released version: one of each kind, as left by a kill while a campaign is sent.

    git worktree add /tmp/old TAG
    PYTHONPATH=/tmp/old python tests/kept/make.py tests/kept/VERSION

It runs that version's own code and its tests' helpers, and writes a SQLite file (sqlite.db.xz), a dump of PostgreSQL as
INSERTs (postgresql.sql.xz), and what a test has to know of each: who has got the letter, who must never get one, and
tokens of letters that went out. The secret is the one of the tests' house.
"""

from __future__ import annotations

import asyncio
import json
import lzma
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psycopg

import mailer
from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.schedule import schedule
from mailer.actions.inbound.receive import receive
from mailer.actions.subscriptions.decline import never_ask_again
from mailer.app import App
from mailer.domain.consent import Channel, Evidence
from mailer.domain.incoming_message import IncomingMessage
from mailer.domain.token import Purpose, sign_token
from mailer.store.migration import migrate_database
from mailer.store.subscribers import ids_by_key
from tests.support.app_helpers import (
    ADMIN,
    APPEAL,
    DOMAIN,
    MAIL_SERVER,
    Clock,
    import_rows,
    launch_campaign,
    make_app,
    open_list,
    receive_person_mail,
    receive_raw_mail,
    send_campaigns,
    text_of,
    token_in,
)
from tests.support.bounce_mails import bounce, complaint
from tests.support.fake_relay import FakeRelay
from tests.support.fake_relay_session import ReceivedLetter
from tests.support.postgres import find_binaries, running_postgres

LANGUAGES = ("en", "de", "tr", "ar", "zh", "fr", "it", "pt", "ru", "es")
NAMES = ("Rosa", "Zoë", "Kemal", "ليلى", "小雨", "", "Chloé", "Inês", "Лена", "Íñigo")
READERS = [f"reader{number}@example.org" for number in range(30)]
LEFT_BY_LINK, LEFT_BY_MAIL, BOUNCED, COMPLAINED, NEVER = (
    f"{one}@example.net" for one in ("li", "ma", "bo", "co", "ne")
)
PENDING = ["paul@example.net", "pia@example.net", "per@example.net"]
LETTERS_ACCEPTED, CONNECTIONS = 12, 3
GERMAN = APPEAL.replace("subject: Come to", "language: de\nsubject: Kommt zum").replace("Dear", "Hallo")
LATER = APPEAL.replace("2027-03-05T19:00", "2027-09-05T19:00")


async def run_until_killed(url: str, facts: Path) -> None:
    """Everything that happened before the kill; then the kill."""
    clock = Clock()
    async with FakeRelay() as relay:
        app = make_app(url, clock, relay.port)
        await open_list(app)
        rows = [f"{one},{NAMES[at % 10]},{LANGUAGES[at % 10]}" for at, one in enumerate(READERS)]
        await import_rows(app, *rows, *(f"{one},,en" for one in (LEFT_BY_LINK, LEFT_BY_MAIL, BOUNCED, COMPLAINED)))
        await launch_campaign(app, **{"appeal.md": LATER})
        await send_campaigns(app)
        first = {letter.recipient: letter for letter in relay.letters}
        asked = await _leave_and_join(app, relay, first)
        clock.advance(hours=1)
        scheduled = await new_campaign(app, ADMIN, list_name="appeals", texts={"appeal.md": LATER})
        await schedule(app, ADMIN, scheduled, local_time="2027-03-02T09:00", zone="Europe/Berlin")
        half = await _send_half_a_campaign(app, relay)
        known = {
            "now": clock().isoformat(),
            "half_sent": half,
            "scheduled": scheduled,
            "tokens": {"leave": _tokens(first, "leave"), "confirm": asked, **await _address_tokens(app, first)},
            "gone": [LEFT_BY_LINK, LEFT_BY_MAIL, BOUNCED, COMPLAINED, NEVER],
            "pending": PENDING,
            "readers": READERS,
            "leaving": READERS[27],
        }
        await _receive_unprocessed_mail(app, known)
        known |= await _wait_until_half_sent(app, relay, half)
        _write_facts(facts, known)
        os.kill(os.getpid(), signal.SIGKILL)


async def _leave_and_join(app: App, relay: FakeRelay, first: dict[str, ReceivedLetter]) -> dict[str, str]:
    """Each way of unsubscribing once, and three requests to join; their tokens."""
    await receive_person_mail(app, f"appeals-leave+{token_in(first[LEFT_BY_LINK], 'leave')}", LEFT_BY_LINK)
    await receive_person_mail(app, "appeals-leave", LEFT_BY_MAIL, authenticated=True)
    await receive_raw_mail(app, bounce(BOUNCED), first[BOUNCED].sender.partition("@")[0], sender="")
    await receive_raw_mail(app, complaint(first[COMPLAINED]), "abuse", sender="fbl@example.net")
    for one in (NEVER, *PENDING):
        await receive_person_mail(app, "appeals-join", one)
    asked = {letter.recipient: token_in(letter, "confirm") for letter in relay.letters if "/confirm/" in _text(letter)}
    await never_ask_again(app, asked.pop(NEVER), Evidence(Channel.LINK, {}), purpose=Purpose.CONFIRM)
    return asked


async def _send_half_a_campaign(app: App, relay: FakeRelay) -> int:
    texts = {"appeal.md": APPEAL, "appeal.de.md": GERMAN}
    relay.answers("rcpt", "451 4.3.0 later", nth=2)
    relay.answers("rcpt", "550 5.1.1 no such user", nth=3)
    return await launch_campaign(app, **texts)


async def _wait_until_half_sent(app: App, relay: FakeRelay, campaign_id: int) -> dict[str, Any]:
    """The relay takes some letters, and then does not answer the next one on each connection."""
    before = len(relay.letters)
    holds = [relay.holds("dot", nth=LETTERS_ACCEPTED + number) for number in range(1, CONNECTIONS + 1)]
    sending = asyncio.get_running_loop().create_task(send_campaigns(app))
    await asyncio.gather(*(hold.reached.wait() for hold in holds))
    taken = [letter.recipient for letter in relay.letters[before:]]
    states = await app.database.read(
        lambda tx: dict(
            tx.exec_driver_sql(
                "SELECT subscriber.address, delivery.state FROM delivery"
                " JOIN subscriber ON subscriber.id = delivery.subscriber_id"
                f" WHERE delivery.campaign_id = {campaign_id}"
            ).all()
        )
    )
    assert not sending.done()
    return {"taken": taken, "states": states}


async def _receive_unprocessed_mail(app: App, known: dict[str, Any]) -> None:
    """Two mails that were answered 250 and are not processed."""
    leaving = known["tokens"]["leave"][known["leaving"]]
    for to, sender in ((f"appeals-leave+{leaving}", known["leaving"]), ("appeals-join", "waits@example.net")):
        raw = f"From: {sender}\r\nTo: {to}@{DOMAIN}\r\nMessage-ID: <w-{sender}>\r\nSubject: Hello\r\n\r\n\r\n".encode()
        recipients = (f"{to}@{DOMAIN}",)
        await receive(
            app, IncomingMessage(sender=sender, recipients=recipients, raw=raw, client="127.0.0.1", helo=MAIL_SERVER)
        )


async def _address_tokens(app: App, first: dict[str, ReceivedLetter]) -> dict[str, dict[str, str]]:
    """Tokens that are in addresses and in no link."""
    numbers = await app.database.read(lambda tx: ids_by_key(tx, READERS))
    replies = {one: _between(letter.content, b"appeals-reply+", b"@") for one, letter in first.items()}
    assert set(numbers) == set(READERS)
    pending = await app.database.read(
        lambda tx: dict(
            tx.exec_driver_sql(
                "SELECT subscriber.address, subscription.id FROM subscription"
                " JOIN subscriber ON subscriber.id = subscription.subscriber_id WHERE subscription.state = 'pending'"
            ).all()
        )
    )
    never = {one: sign_token(app.site.keyring, Purpose.NEVER, number) for one, number in pending.items()}
    returns = {one: letter.sender.partition("@")[0] for one, letter in first.items()}
    return {"reply": replies, "return_path": returns, "never": never}


def _tokens(letters: dict[str, ReceivedLetter], page: str) -> dict[str, str]:
    return {one: token_in(letter, page) for one, letter in letters.items()}


def _between(octets: bytes, start: bytes, end: bytes) -> str:
    unfolded = octets.replace(b"\r\n ", b"").replace(b"\r\n\t", b"")
    return unfolded.partition(start)[2].partition(end)[0].decode()


def _text(letter: ReceivedLetter) -> str:
    return str(text_of(letter))


def _write_facts(facts: Path, known: dict[str, Any]) -> None:
    facts.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")


def make_databases(folder: Path) -> None:
    """Write both kinds of database into a folder."""
    migrations = Path(mailer.__file__).parent.parent / "migrations"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "mailer.db"
        _run_in_child(f"sqlite:///{file}", migrations, folder / "sqlite.json")
        with sqlite3.connect(file) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            database.execute("PRAGMA journal_mode = DELETE")
        database.close()
        (folder / "sqlite.db.xz").write_bytes(lzma.compress(file.read_bytes()))
    binaries = find_binaries()
    assert binaries is not None
    with running_postgres(binaries) as where:
        with psycopg.connect(where.format(name="postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE kept")
        url = where.format(name="kept")
        _run_in_child(url, migrations, folder / "postgresql.json")
        plain = ("--inserts", "--no-owner", "--no-privileges", "--restrict-key=0")
        made = subprocess.run([binaries / "pg_dump", *plain, url], check=True, stdout=subprocess.PIPE)
        foreign = (b"\\", b"SET transaction_timeout")  # of psql, and of the newest servers
        lines = [line for line in made.stdout.splitlines(keepends=True) if not line.startswith(foreign)]
        (folder / "postgresql.sql.xz").write_bytes(lzma.compress(b"".join(lines)))


def _run_in_child(url: str, migrations: Path, facts: Path) -> None:
    migrate_database(url, migrations)
    child = subprocess.run([sys.executable, __file__, "--live", url, str(facts)], check=False)
    assert child.returncode == -signal.SIGKILL, child


if __name__ == "__main__":
    if sys.argv[1] == "--live":
        asyncio.run(run_until_killed(sys.argv[2], Path(sys.argv[3])))
    make_databases(Path(sys.argv[1]))
