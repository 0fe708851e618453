"""Purging: expired requests, old evidence, processed mails, erased people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, func, insert, select

from mailer.actions.imports.plan_import import plan_import
from mailer.actions.imports.run_import import run_import
from mailer.actions.inbound.process_mail import process_incoming_mails
from mailer.actions.inbound.receive import receive
from mailer.actions.maintenance import purge as tidying
from mailer.actions.maintenance.purge import purge
from mailer.actions.subscriptions.confirm import confirm
from mailer.actions.subscriptions.show_person import show_person
from mailer.actions.subscriptions.subscribe import subscribe
from mailer.actions.subscriptions.unsubscribe import unsubscribe
from mailer.app import App
from mailer.domain.address import Address
from mailer.domain.consent import Channel, Evidence
from mailer.domain.incoming_message import IncomingMessage
from mailer.domain.subscription_request import SubscriptionRequest
from mailer.domain.token import Purpose, sign_token
from mailer.errors import NotFound
from mailer.importers.person_row import PersonRow
from mailer.settings.intake_tables import HearingSettings
from mailer.store.people_tables import incoming, subscriber, subscription, tally
from mailer.store.queue.queue_tables import delivery
from tests.support.app_helpers import (
    ADA,
    ADMIN,
    BEA,
    DOMAIN,
    EMMA,
    LINK_EVIDENCE,
    ROSA,
    Clock,
    import_rows,
    open_list,
    receive_person_mail,
    send_notices,
    token_in,
)
from tests.support.fake_relay import FakeRelay
from tests.support.invented_exports import invented_export
from tests.support.running_service import running_service


async def ask(app: App, address: str, **words: Any) -> None:
    evidence = Evidence(Channel.MAIL, words)
    await subscribe(app, SubscriptionRequest(list_name="appeals", address=Address(address), evidence=evidence))


async def rows(app: App, *tables: Any) -> list[int]:
    def work(tx: Connection) -> list[int]:
        return [tx.execute(select(func.count()).select_from(one)).scalar_one() for one in tables]

    return await app.database.read(work)


async def known(app: App, *addresses: str) -> list[str]:
    found = []
    for address in addresses:
        try:
            found.append((await show_person(app, ADMIN, address)).address)
        except NotFound:
            continue
    return found


async def test_expired_requests_are_deleted_with_their_people_and_deliveries_stay(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)
    await import_rows(app, f"{BEA},Bea,en")
    await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, 1), LINK_EVIDENCE)
    for address in (ROSA, EMMA, BEA):
        await ask(app, address)
    await send_notices(app)
    emmas = next(letter for letter in relay.letters if letter.recipient == EMMA)
    await confirm(app, token_in(emmas, "confirm"), LINK_EVIDENCE)
    clock.advance(days=13)
    await ask(app, ADA)
    clock.advance(days=2)

    done = await purge(app)

    assert done["requests"] == 2
    assert await known(app, ROSA, EMMA, BEA, ADA) == [EMMA, BEA, ADA]
    assert (await show_person(app, ADMIN, BEA)).subscriptions == {"appeals": "unsubscribed"}
    assert (await show_person(app, ADMIN, EMMA)).subscriptions == {"appeals": "confirmed"}
    assert [line.act for line in (await show_person(app, ADMIN, BEA)).consents] == ["imported", "left", "asked"]
    assert await rows(app, subscription, delivery) == [3, 5]


async def test_many_requests_are_deleted_in_chunks_and_the_newest_subscriber_keeps_its_id(
    app: App, clock: Clock
) -> None:
    mailing_list = await open_list(app)
    many = 2 * tidying.CHUNK + 7

    def flood(tx: Connection) -> None:
        old = {"created_at": clock()}
        people = [
            {"address": f"p{n}@x.example", "address_key": f"p{n}@x.example", "mailbox_key": f"p{n}@x.example"}
            | {"suppression_key": str(n)}
            | old
            for n in range(many)
        ]
        numbers = list(tx.execute(insert(subscriber).returning(subscriber.c.id), people).scalars())
        pending = {
            "mailing_list_id": mailing_list.id,
            "state": "pending",
            "attributes": {},
            "changed_at": clock(),
            "asked_at": clock(),
        }
        tx.execute(insert(subscription), [pending | old | {"subscriber_id": number} for number in numbers])

    await app.database.write(flood)
    clock.advance(days=15)
    await purge(app)
    left = await rows(app, subscriber, subscription)
    await ask(app, ROSA)
    clock.advance(hours=2)
    await purge(app)

    assert left == [1, 1]
    assert await rows(app, subscriber, subscription) == [1, 1]
    assert await known(app, ROSA) == [ROSA]


async def test_ip_addresses_of_an_import_are_erased_and_its_other_words_stay(app: App, clock: Clock) -> None:
    app = replace(app, hearing=HearingSettings(keep_evidence_days=3))
    await open_list(app)
    words = {"optin_time": "2021-05-04 10:00:00", "source": "the form", "reason": "seeds"}
    proofs = {"optin_ip": "192.0.2.1", "confirm_ip": "192.0.2.2", "ip_address": "192.0.2.3"}
    row = PersonRow(address=Address(ROSA), attributes={}, evidence=words | proofs)
    async with await plan_import(app, ADMIN, list_name="appeals", export=invented_export(row)) as plan:
        await run_import(app, ADMIN, plan)
    whole = (await show_person(app, ADMIN, ROSA)).consents[0].evidence
    clock.advance(days=4)

    await purge(app)

    [line] = (await show_person(app, ADMIN, ROSA)).consents
    assert whole.items() >= (words | proofs).items()
    assert line.evidence == {key: value for key, value in whole.items() if key not in proofs}
    assert "192.0.2" not in str(line)


async def test_identifying_evidence_is_erased_and_the_consent_stays(app: App, clock: Clock) -> None:
    app = replace(app, hearing=HearingSettings(keep_evidence_days=3))
    await open_list(app)
    evidence = {
        "from": ROSA,
        "envelope_from": ROSA,
        "message_id": "<one@x>",
        "client": "192.0.2.1",
        "proof": {"by": "spf"},
    }
    await ask(app, ROSA, to=f"appeals-join@{DOMAIN}", **evidence)
    clock.advance(days=2)
    await ask(app, EMMA, **evidence)
    await purge(app)
    whole = [line.evidence for line in (await show_person(app, ADMIN, ROSA)).consents]
    clock.advance(days=2)

    await purge(app)
    clock.advance(hours=2)
    again = await purge(app)

    rosas, emmas = [(await show_person(app, ADMIN, one)).consents for one in (ROSA, EMMA)]
    assert whole == [evidence | {"to": f"appeals-join@{DOMAIN}"}]
    assert [(line.act, line.evidence) for line in rosas] == [("asked", {"to": f"appeals-join@{DOMAIN}"})]
    assert [line.evidence for line in emmas] == [evidence]
    assert again["lines"] == 0


async def test_a_processed_mail_is_deleted_after_a_week_and_repetitions_are_recognised_until_then(
    app: App, clock: Clock
) -> None:
    await open_list(app)
    mail = f"From: {ROSA}\r\nSubject: hello\r\n\r\nIs there a bus?\r\n".encode()
    message = IncomingMessage(sender=ROSA, recipients=(f"appeals-owner@{DOMAIN}",), raw=mail, digest="d" * 64)
    await receive(app, message)
    await process_incoming_mails(app)
    await send_notices(app)
    await receive(app, replace(message, recipients=(f"bounce+aaaa@{DOMAIN}",), digest="e" * 64))
    clock.advance(days=6)

    await purge(app)
    await receive(app, message)
    within = await rows(app, incoming)
    await process_incoming_mails(app)
    clock.advance(days=2)
    await purge(app)

    assert within == [2]
    assert await rows(app, incoming) == [1]


async def test_the_newest_mail_stays_since_its_id_names_what_was_done_about_it(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)
    for number in range(2):
        await receive_person_mail(app, "appeals-owner", body=f"Is there a bus? {number}")
        clock.advance(days=8)
        await purge(app)

    assert [letter.recipient for letter in relay.letters] == [ADA, ADA]
    assert await rows(app, incoming) == [1]


async def test_purging_happens_once_an_hour_and_deletes_old_counters(app: App, clock: Clock) -> None:
    await open_list(app)
    await ask(app, ROSA)
    first = await purge(app)
    clock.advance(minutes=59)
    within = await purge(app)
    clock.advance(days=1, hours=1)

    later = await purge(app)

    assert first
    assert within == {}
    assert later["tallies"] > 0
    assert (await rows(app, tally))[0] <= 2


async def test_the_service_purges_by_itself(app: App, relay: FakeRelay, clock: Clock) -> None:
    await open_list(app)
    await ask(app, ROSA)
    await ask(app, EMMA)
    clock.advance(days=15)

    async with running_service(app) as service:
        await service.browser.post("/join/appeals", data={"email": "last@example.org"})
        await relay.wait_for(3)
        while await known(app, ROSA):
            await service.browser.get("/health")

    assert ROSA in {letter.recipient for letter in relay.letters}
