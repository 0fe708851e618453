"""What a letter of ours needs is there when the letter is; one that cannot be written waits, and is never lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, case, select, update

from mailer.actions.inbound.process_mail import process_incoming_mails
from mailer.actions.inbound.receive import MailReceiver, receive
from mailer.actions.maintenance.check_mail import check_mail
from mailer.actions.maintenance.purge import purge
from mailer.app import App
from mailer.domain.delivery import DeliveryState
from mailer.domain.incoming_message import IncomingMessage
from mailer.domain.token import Purpose, sign_token
from mailer.errors import DatabaseUnavailable
from mailer.mail.compose.templates import Templates
from mailer.settings.intake_tables import IntakeSettings
from mailer.store.database import Database
from mailer.store.people_tables import incoming
from mailer.store.queue.queue_tables import delivery
from mailer.store.spool import SpoolFile
from tests.support.app_helpers import (
    ADA,
    BEA,
    DOMAIN,
    EMMA,
    ROOT,
    ROSA,
    Clock,
    import_rows,
    open_list,
    recipients,
    send_notices,
)
from tests.support.fake_relay import FakeRelay

OWNER, POSTMASTER, HOUSE_OWNER = f"appeals-owner@{DOMAIN}", f"postmaster@{DOMAIN}", "owner@example.net"
MANY_STEPS = 60
"""More than any mail takes."""


class KilledError(BaseException):
    """Nothing that runs can catch it."""


@dataclass
class Stepped:
    """The database, with something done before and after each of its transactions."""

    database: Database
    between: Callable[[int], Awaitable[None]]
    steps: int = 0

    def on_commit(self, listener: Any) -> None:
        self.database.on_commit(listener)

    async def read(self, *work: Any, **arguments: Any) -> Any:
        return await self._step(self.database.read, *work, **arguments)

    async def write(self, *work: Any, **arguments: Any) -> Any:
        return await self._step(self.database.write, *work, **arguments)

    async def _step(self, run: Callable[..., Awaitable[Any]], *work: Any, **arguments: Any) -> Any:
        await self._come_between()
        done = await run(*work, **arguments)
        await self._come_between()
        return done

    async def _come_between(self) -> None:
        self.steps += 1
        await self.between(self.steps)


def with_steps(app: App, between: Callable[[int], Awaitable[None]]) -> App:
    return replace(app, database=Stepped(app.database, between))  # type: ignore[arg-type]


async def take_in(app: App, number: int, recipients_: tuple[str, ...]) -> bytes:
    """A mail of 90 kB comes in by the spool."""
    raw = f"From: {ROSA}\r\nSubject: pictures {number}\r\nMessage-ID: <{number}@example.org>\r\n\r\n".encode()
    raw += b"a row of beans\r\n" * 6000
    file = SpoolFile(app.intake.spool)
    file.write(raw)
    file.close()
    await receive(
        app, IncomingMessage(sender=ROSA, recipients=recipients_, spool_name=file.name, digest=f"{number:064}")
    )
    return raw


def carried(relay: FakeRelay, raw: bytes) -> list[str]:
    """To whom the relay was given this mail whole; what it was given is forgotten."""
    found = sorted(letter.recipient for letter in relay.letters if raw in letter.content)
    relay.letters.clear()
    return found


async def states(app: App) -> set[str]:
    def work(tx: Connection) -> set[str]:
        return set(tx.execute(select(delivery.c.state)).scalars())

    return await app.database.read(work)


async def settle_down(app: App) -> None:
    while await process_incoming_mails(app):
        pass
    await send_notices(app)


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_a_large_mail_reaches_all_it_is_for_wherever_we_are_stopped_and_whoever_sends_meanwhile(
    app: App, relay: FakeRelay, tmp_path: Path, number: int
) -> None:
    app = replace(app, intake=IntakeSettings(spool=tmp_path / "spool"))
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en")
    reply = f"appeals-reply+{sign_token(app.site.keyring, Purpose.REPLY, 1)}@{DOMAIN}"
    to = (OWNER, POSTMASTER, reply)[:number]
    for_whom = sorted((ADA, HOUSE_OWNER, ADA)[:number])

    async def others_send(_: int) -> None:
        await send_notices(app)

    raw = await take_in(app, 0, to)
    assert await process_incoming_mails(with_steps(app, others_send))
    await settle_down(app)
    assert carried(relay, raw) == for_whom

    for step in range(1, MANY_STEPS):

        async def stop(now: int, at: int = step) -> None:
            if now == at:
                raise KilledError

        raw = await take_in(app, step, to)
        whole = False
        with suppress(KilledError):
            whole = await process_incoming_mails(with_steps(app, stop))
        await send_notices(app)
        await settle_down(app)

        assert carried(relay, raw) == for_whom, f"stopped at step {step}"
        if whole:
            break
    else:
        pytest.fail("it never came to its end")
    assert await states(app) == {DeliveryState.ACCEPTED}
    await MailReceiver(app, app.intake).delete_orphaned_files()
    assert list((tmp_path / "spool").iterdir()) == []


async def test_a_database_that_fails_again_and_again_parks_no_mail(app: App, relay: FakeRelay, tmp_path: Path) -> None:
    app = replace(app, intake=IntakeSettings(spool=tmp_path / "spool"))
    await open_list(app)
    raw = await take_in(app, 1, (OWNER,))

    async def fail(now: int) -> None:
        if now == 6:
            raise DatabaseUnavailable("the disk is away")

    for _ in range(5):
        with pytest.raises(DatabaseUnavailable):
            await process_incoming_mails(with_steps(app, fail))
    await settle_down(app)

    assert carried(relay, raw) == [ADA]


async def test_letters_that_cannot_be_written_for_reasons_of_ours_wait_are_told_of_and_go_when_they_can(
    app: App, relay: FakeRelay, clock: Clock, tmp_path: Path
) -> None:
    (tmp_path / "templates").mkdir()
    without_templates = replace(app, templates=Templates(tmp_path / "templates", ROOT / "mailer" / "locale"))
    await open_list(app)
    raw = b""
    for sender, to in ((ROSA, "appeals-owner"), (EMMA, "appeals-join"), (BEA, "appeals-help"), (ROSA, "postmaster")):
        raw = f"From: {sender}\r\nTo: {to}@{DOMAIN}\r\n\r\nIs there a bus?\r\n".encode()
        await receive(app, IncomingMessage(sender=sender, recipients=(f"{to}@{DOMAIN}",), raw=raw))
    while await process_incoming_mails(app):
        pass
    await app.database.write(lambda tx: tx.execute(update(incoming).values(raw=b"")))
    await app.database.write(
        lambda tx: tx.execute(update(delivery).values(mailing_list_id=delivery.c.mailing_list_id + 9))
    )

    waited = []
    for broken, hours in ((app, 1), (without_templates, 48)):
        await send_notices(broken)
        checks = {one.check: one for one in await check_mail(app.database, clock())}
        waited.append((await states(app), checks["notices"].status, len(relay.letters)))
        clock.advance(hours=hours)
        await app.database.write(lambda tx: tx.execute(update(incoming).values(raw=raw)))
        await app.database.write(
            lambda tx: tx.execute(
                update(delivery).values(mailing_list_id=case((delivery.c.mailing_list_id.is_not(None), 1)))
            )
        )
    await purge(app)
    await send_notices(app)

    assert waited == [({DeliveryState.QUEUED}, "fail", 0)] * 2
    assert sorted(recipients(relay)) == sorted([ADA, EMMA, BEA, HOUSE_OWNER])
    assert await states(app) == {DeliveryState.ACCEPTED}


async def test_what_an_owner_is_still_to_get_is_not_tidied_away(app: App, relay: FakeRelay, clock: Clock) -> None:
    await open_list(app)
    for number, to in enumerate(("appeals-owner", "postmaster", "appeals-join")):
        raw = f"From: {ROSA}\r\nTo: {to}@{DOMAIN}\r\nMessage-ID: <{number}@example.org>\r\n\r\nHello\r\n".encode()
        await receive(app, IncomingMessage(sender=ROSA, recipients=(f"{to}@{DOMAIN}",), raw=raw))
    while await process_incoming_mails(app):
        pass

    clock.advance(days=30)
    await purge(app)
    await send_notices(app)

    assert sorted(recipients(relay)) == sorted([ADA, HOUSE_OWNER, ROSA])


async def test_a_letter_that_waited_for_days_is_not_given_up_at_the_first_come_again(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)
    relay.answers("rcpt", "451 4.7.1 Come again", address=EMMA)
    await receive(
        app, IncomingMessage(sender=EMMA, recipients=(f"appeals-join@{DOMAIN}",), raw=f"From: {EMMA}\r\n\r\n".encode())
    )
    while await process_incoming_mails(app):
        pass
    clock.advance(days=3)

    await send_notices(app)

    assert await states(app) == {DeliveryState.DEFERRED}
