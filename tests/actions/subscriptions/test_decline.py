"""Never ask me again: no list writes to that mailbox any more, and of an unknown person only a hash is kept."""

from __future__ import annotations

import io
import json

import pytest
from sqlalchemy import Connection, select

from mailer.actions.exports.export_people import export_people
from mailer.actions.maintenance.purge import purge
from mailer.actions.subscriptions.abuse_guard import may_send_auto_reply
from mailer.actions.subscriptions.confirm import confirm
from mailer.actions.subscriptions.decline import never_ask_again
from mailer.actions.subscriptions.show_person import show_person
from mailer.actions.subscriptions.subscribe import subscribe
from mailer.app import App
from mailer.domain.address import Address
from mailer.domain.consent import Channel, Evidence
from mailer.domain.subscription_request import SubscriptionRequest
from mailer.domain.token import Purpose, sign_token
from mailer.errors import NotFound, NothingPending
from mailer.store.columns import metadata
from tests.support.app_helpers import (
    ADMIN,
    EMMA,
    LINK_EVIDENCE,
    ROSA,
    Clock,
    import_rows,
    open_list,
    recipients,
    send_notices,
    token_in,
)
from tests.support.fake_relay import FakeRelay
from tests.support.running_service import running_service

MISSPELLED = "ro.sa+spam@gmail.com"
HERS = ("rosa@gmail.com", "Ro.Sa@gmail.com", MISSPELLED, "rosa+other@gmail.com")


async def ask(app: App, address: str, list_name: str = "appeals", **more: bool) -> None:
    evidence = Evidence(Channel.FORM)
    await subscribe(app, SubscriptionRequest(list_name=list_name, address=Address(address), evidence=evidence, **more))
    await send_notices(app)


async def known(app: App, *words: str) -> list[str]:
    """The tables in which one of these words stands anywhere."""

    def work(tx: Connection) -> list[str]:
        found = []
        for table in metadata.sorted_tables:
            text = json.dumps([list(row) for row in tx.execute(select(table))], default=str)
            found += [table.name for word in words if word in text]
        return found

    return await app.database.read(work)


def never_token(app: App, subscription_id: int) -> str:
    return sign_token(app.site.keyring, Purpose.NEVER, subscription_id)


async def test_of_a_person_who_never_subscribed_only_a_hash_stays_and_every_door_honours_it(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    for name in ("appeals", "gardens"):
        await open_list(app, name)
    form = Evidence(Channel.FORM)
    request = SubscriptionRequest(list_name="appeals", address=Address(MISSPELLED), evidence=form, name="Rosalinde")
    await subscribe(app, request)
    await send_notices(app)
    await ask(app, "rosa@gmail.com", "gardens")

    for _ in range(2):
        await never_ask_again(app, never_token(app, 1), LINK_EVIDENCE)
    clock.advance(days=2)
    await ask(app, EMMA)
    await purge(app)
    await never_ask_again(app, never_token(app, 1), LINK_EVIDENCE)
    for address in HERS:
        await ask(app, address)
        await ask(app, address, "gardens", authenticated=True)
    may = [
        await app.database.write(may_send_auto_reply, app, Address(one), authenticated=authenticated)
        for one in HERS
        for authenticated in (False, True)
    ]

    assert recipients(relay) == [MISSPELLED, EMMA]
    assert not any(may)
    assert await known(app, "rosa", "ro.sa", "Rosalinde") == []


async def test_a_subscriber_is_unsubscribed_from_all_lists_and_the_record_says_so(app: App, relay: FakeRelay) -> None:
    for name in ("appeals", "gardens"):
        await open_list(app, name)
    await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Emma,en", list_name="gardens")
    await ask(app, ROSA)

    await never_ask_again(app, token_in(relay.letters[0], "confirm"), LINK_EVIDENCE, purpose=Purpose.CONFIRM)
    back = await import_rows(app, f"{ROSA},Rosa,en", list_name="gardens")

    person = await show_person(app, ADMIN, ROSA)
    assert person.never
    assert set(person.subscriptions.values()) == {"unsubscribed"}
    assert person.consents[-1].act == "never"
    assert back.kept_out == 1
    assert (await show_person(app, ADMIN, EMMA)).subscriptions == {"gardens": "confirmed"}


async def test_the_link_in_a_letter_works_after_the_request_has_expired(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await open_list(app)
    await ask(app, ROSA)
    clock.advance(days=20)
    await ask(app, EMMA)
    await purge(app)
    forgotten = not await known_person(app, ROSA)

    await never_ask_again(app, never_token(app, 1), LINK_EVIDENCE)
    await ask(app, "rosa+more@example.org")

    assert forgotten
    assert recipients(relay) == [ROSA, EMMA]
    assert await known(app, "rosa") == []


async def known_person(app: App, address: str) -> bool:
    try:
        await show_person(app, ADMIN, address)
    except NotFound:
        return False
    return True


async def test_the_id_of_the_last_erased_subscriber_is_not_given_away(app: App, relay: FakeRelay, clock: Clock) -> None:
    await open_list(app)
    await ask(app, ROSA)
    old = token_in(relay.letters[0], "confirm")
    await never_ask_again(app, never_token(app, 1), LINK_EVIDENCE)
    clock.advance(hours=2)
    await purge(app)

    await ask(app, EMMA)
    await export_people(app, ADMIN, list_name="appeals", file=(file := io.StringIO()), everybody=True)
    with pytest.raises((NothingPending, NotFound)):
        await confirm(app, old, LINK_EVIDENCE)

    assert (await show_person(app, ADMIN, EMMA)).subscriptions == {"appeals": "pending"}
    assert file.getvalue().count("@") == 1


async def test_only_the_button_of_the_page_opts_out(app: App, relay: FakeRelay) -> None:
    await open_list(app)
    await ask(app, ROSA)
    page = f"/never/{never_token(app, 1)}"
    async with running_service(app) as service:
        looked = [await service.browser.get(page), await service.browser.head(page)]
        before = await show_person(app, ADMIN, ROSA)
        pressed = [await service.browser.post(page) for _ in range(2)]
        after = await known_person(app, ROSA)
        shown_again = await service.browser.get(page)
        wrong = [
            await call(f"/never/{token}")
            for token in ("x", sign_token(app.site.keyring, Purpose.CONFIRM, 1))
            for call in (service.browser.get, service.browser.post)
        ]

    assert [answer.status_code for answer in (*looked, *pressed, shown_again)] == [200] * 5
    assert looked[0].text.count("<button") == 1
    assert ROSA not in looked[0].text
    assert before.subscriptions == {"appeals": "pending"}
    assert not after
    assert {answer.status_code for answer in wrong} == {404}
