"""Signing in by letter, by a link that a command printed, and by the link that sets the site up."""

from __future__ import annotations

import asyncio
import re

import pytest

from mailer.actions.accounts.ask_sign_in import (
    RelayState,
    SignInRequest,
    ask_sign_in,
    queue_sign_in_letter,
    show_progress,
)
from mailer.actions.accounts.organisers import give_role
from mailer.actions.accounts.sessions import find_session, list_sessions
from mailer.actions.accounts.show_organisers import show_organisers
from mailer.actions.accounts.sign_in import (
    check_link,
    make_set_up_link,
    make_sign_in_link,
    set_up,
    sign_in_by_code,
    sign_in_by_link,
)
from mailer.actions.maintenance.purge import purge
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.organiser import SITE_OWNER
from mailer.domain.accounts.role import Role
from mailer.domain.accounts.sign_in import MOST_TRIES
from mailer.domain.address import parse_address
from mailer.domain.suppression import EVERY_LIST, SuppressionReason
from mailer.errors import AddressRefused, NotFound, NotPermitted, SignInRefused, SignInSpent, WrongBrowser
from mailer.store import suppressions
from tests.support.app_helpers import ADA, ADMIN, EMMA, MALLORY, Clock, parse_letter, recipients, send_notices, text_of
from tests.support.fake_relay import FakeRelay

DEVICE = "Firefox on Linux"


async def ask(app: App, address: str, browser: str = "", source: str | None = None) -> SignInRequest:
    """As the sign-in page does it."""
    request = await ask_sign_in(app, parse_address(address), browser=browser, source=source, next_path="/console/lists")
    await queue_sign_in_letter(app, request)
    await send_notices(app)
    return request


def read_letter(relay: FakeRelay, number: int = -1) -> tuple[str, str]:
    """The link's word and the code in a letter."""
    text = text_of(relay.letters[number])
    word, code = re.search(r"/console/sign-in/link/(\w+)", text), re.search(r"\b([A-Z]{4}-[A-Z]{4})\b", text)
    assert word, text
    assert code, text
    return word[1], code[1]


async def test_a_letters_link_signs_in_once_in_the_browser_that_asked(app: App, relay: FakeRelay) -> None:
    ada = await give_role(app, ADMIN, ADA, Role.OWNER)
    request = await ask(app, "ADA@example.org")
    word, _ = read_letter(relay)

    for _ in range(3):
        await check_link(app, word, request.browser)
        with pytest.raises(WrongBrowser):
            await check_link(app, word, "")
        with pytest.raises(WrongBrowser):
            await sign_in_by_link(app, word, "m" * 43, device=DEVICE)
    signed_in = await sign_in_by_link(app, word, request.browser, device=DEVICE)

    assert (signed_in.session.organiser, signed_in.next_path) == (ada, "/console/lists")
    assert await find_session(app, signed_in.cookie) == signed_in.session
    assert recipients(relay) == [ADA]
    for browser in (request.browser, ""):
        with pytest.raises(SignInSpent):
            await sign_in_by_link(app, word, browser, device=DEVICE)


async def test_a_letters_code_signs_in_where_it_was_asked_for(app: App, relay: FakeRelay) -> None:
    await give_role(app, ADMIN, ADA, Role.OWNER)
    request = await ask(app, ADA)
    _, code = read_letter(relay)

    with pytest.raises(SignInRefused):
        await sign_in_by_code(app, code, "m" * 43, device=DEVICE, source=None)
    typed = f" {code.lower().replace('-', ' ')} "
    signed_in = await sign_in_by_code(app, typed, request.browser, device=DEVICE, source=None)

    assert signed_in.session.organiser.address == ADA
    with pytest.raises(SignInRefused):
        await sign_in_by_code(app, code, request.browser, device=DEVICE, source=None)


async def test_after_five_wrong_codes_the_link_is_left(app: App, relay: FakeRelay) -> None:
    await give_role(app, ADMIN, ADA, Role.OWNER)
    request = await ask(app, ADA)
    word, code = read_letter(relay)
    wrong = "BBBB-BBBB" if code != "BBBB-BBBB" else "CCCC-CCCC"

    for _ in range(MOST_TRIES):
        with pytest.raises(SignInRefused):
            await sign_in_by_code(app, wrong, request.browser, device=DEVICE, source=None)
    with pytest.raises(SignInRefused):
        await sign_in_by_code(app, code, request.browser, device=DEVICE, source=None)

    assert (await sign_in_by_link(app, word, request.browser, device=DEVICE)).session.organiser.address == ADA


async def test_an_earlier_letter_that_comes_late_still_signs_in_and_then_the_other_does_not(
    app: App, relay: FakeRelay
) -> None:
    await give_role(app, ADMIN, ADA, Role.OWNER)
    first = await ask(app, ADA)
    second = await ask(app, ADA, first.browser)
    (_, early), (late, _) = read_letter(relay, 0), read_letter(relay, 1)

    assert first.browser == second.browser
    await sign_in_by_code(app, early, first.browser, device=DEVICE, source=None)
    with pytest.raises(SignInSpent):
        await sign_in_by_link(app, late, first.browser, device=DEVICE)


async def test_link_and_code_end_after_fifteen_minutes(app: App, relay: FakeRelay, clock: Clock) -> None:
    await give_role(app, ADMIN, ADA, Role.OWNER)
    request = await ask(app, ADA)
    word, code = read_letter(relay)

    clock.advance(minutes=15)

    with pytest.raises(SignInSpent):
        await check_link(app, word, request.browser)
    with pytest.raises(SignInRefused):
        await sign_in_by_code(app, code, request.browser, device=DEVICE, source=None)


async def test_a_stranger_gets_no_letter_and_sees_the_same(app: App, relay: FakeRelay, clock: Clock) -> None:
    await give_role(app, ADMIN, ADA, Role.OWNER)
    seen = []
    for address in (ADA, MALLORY):
        request = await ask(app, address)
        progress = []
        for _ in range(3):
            found = await show_progress(app, request.browser)
            assert found is not None
            progress.append((found.state, found.relay, found.relay_stopped_until))
            clock.advance(minutes=6)
        seen.append(progress)

    assert recipients(relay) == [ADA]
    assert seen[0] == seen[1]
    assert [relay_state for _, relay_state, _ in seen[0]] == [RelayState.WAITING, RelayState.HANDED, RelayState.HANDED]


async def test_too_many_letters_for_one_address_are_refused_whosever_it_is(app: App, clock: Clock) -> None:
    await give_role(app, ADMIN, ADA, Role.OWNER)
    for address in (ADA, MALLORY):
        for number in range(10):
            await ask_sign_in(app, parse_address(address), browser="", source=f"192.0.2.{number}", next_path=None)
        with pytest.raises(SignInRefused):
            await ask_sign_in(app, parse_address(address), browser="", source="192.0.2.99", next_path=None)

    clock.advance(hours=1)
    await ask_sign_in(app, parse_address(ADA), browser="", source="192.0.2.99", next_path=None)


async def test_too_much_from_one_network_is_refused(app: App) -> None:
    for number in range(60):
        address = parse_address(f"somebody{number}@example.org")
        await ask_sign_in(app, address, browser="", source=f"2001:db8::{number:x}", next_path=None)

    with pytest.raises(SignInRefused):
        await ask_sign_in(app, parse_address(ADA), browser="", source="2001:db8::ffff", next_path=None)
    with pytest.raises(SignInRefused, match="too many codes"):
        await sign_in_by_code(app, "BBBB-BBBB", "m" * 43, device=DEVICE, source="2001:db8::ffff")


@pytest.mark.parametrize(
    ("reason", "sent"),
    [
        (SuppressionReason.BOUNCED, True),
        (SuppressionReason.COMPLAINED, False),
        (SuppressionReason.NEVER, False),
    ],
)
async def test_bounces_stop_no_letter_but_a_persons_own_wish_does(
    app: App, relay: FakeRelay, reason: SuppressionReason, sent: bool
) -> None:
    await give_role(app, ADMIN, ADA, Role.OWNER)
    key = app.site.keyring.suppression_key(ADA)
    await app.database.write(suppressions.add, key, EVERY_LIST, reason, app.clock())

    await ask(app, ADA)

    assert recipients(relay) == [ADA] * sent


@pytest.mark.parametrize("language", ["en", "de", "tr", "ar", "zh"])
async def test_the_letter_is_in_her_language_and_names_no_list(app: App, relay: FakeRelay, language: str) -> None:
    await give_role(app, ADMIN, ADA, Role.OWNER, speaks=language)

    await ask(app, ADA)

    letter = parse_letter(relay.letters[0])
    assert letter["List-Unsubscribe"] is None
    assert letter["Auto-Submitted"] == "auto-generated"
    assert "Open Letters" in letter["Subject"]
    read_letter(relay)


async def test_who_manages_organisers_sees_what_the_relay_said_to_their_last_letter(app: App, relay: FakeRelay) -> None:
    await give_role(app, ADMIN, ADA, Role.OWNER)
    await give_role(app, ADMIN, EMMA, Role.VIEWER)
    relay.answers("rcpt", "550 no such mailbox", address=ADA)
    await ask(app, ADA)
    await ask(app, MALLORY)

    ada, emma = await show_organisers(app, ADMIN)

    assert emma.letter is None
    assert ada.letter is not None
    assert (ada.letter.state, ada.letter.reply) == ("failed", "no such mailbox")


async def test_a_commands_link_works_in_any_browser_for_an_hour_and_replaces_the_one_before(
    app: App, clock: Clock
) -> None:
    await give_role(app, ADMIN, ADA, Role.OWNER)
    old, new = [await make_sign_in_link(app, ADMIN, ADA) for _ in range(2)]
    prefix = f"{app.site.url}/console/sign-in/link/"

    with pytest.raises(SignInSpent):
        await check_link(app, old.removeprefix(prefix), "")
    clock.advance(minutes=59)
    word = new.removeprefix(prefix)
    await check_link(app, word, "")
    assert (await sign_in_by_link(app, word, "m" * 43, device=DEVICE)).session.organiser.address == ADA
    with pytest.raises(SignInSpent):
        await sign_in_by_link(app, word, "", device=DEVICE)

    late = (await make_sign_in_link(app, ADMIN, ADA)).removeprefix(prefix)
    clock.advance(hours=1)
    with pytest.raises(SignInSpent):
        await sign_in_by_link(app, late, "", device=DEVICE)


async def test_only_site_owners_make_links_and_only_for_organisers(app: App) -> None:
    with pytest.raises(NotFound):
        await make_sign_in_link(app, ADMIN, MALLORY)
    viewer = Actor(name=EMMA, door=Door.CONSOLE, grants=())
    with pytest.raises(NotPermitted):
        await make_sign_in_link(app, viewer, ADA)


async def test_the_set_up_link_makes_the_first_owner_who_is_signed_in(app: App) -> None:
    link = await make_set_up_link(app)
    assert link is not None
    word = link.removeprefix(f"{app.site.url}/console/set-up/")
    with pytest.raises(AddressRefused):
        await set_up(app, word, address="ada", name=None, speaks="en", zone="UTC", device=DEVICE)
    with pytest.raises(SignInSpent):
        await sign_in_by_link(app, word, "", device=DEVICE)

    signed_in = await set_up(app, word, address=ADA, name="Ada", speaks="de", zone="Europe/Berlin", device=DEVICE)

    assert signed_in.session.organiser.grants == (SITE_OWNER,)
    assert await find_session(app, signed_in.cookie) is not None
    with pytest.raises(SignInSpent):
        await set_up(app, word, address=MALLORY, name=None, speaks="en", zone="UTC", device=DEVICE)
    assert await make_set_up_link(app) is None


async def test_a_set_up_link_ends_when_somebody_is_made_organiser_otherwise(app: App) -> None:
    word = str(await make_set_up_link(app)).rpartition("/")[2]
    await give_role(app, ADMIN, ADA, Role.OWNER)

    with pytest.raises(SignInSpent):
        await set_up(app, word, address=MALLORY, name=None, speaks="en", zone="UTC", device=DEVICE)

    assert [one.organiser.address for one in await show_organisers(app, ADMIN)] == [ADA]


async def test_a_link_used_twice_at_once_signs_in_once(app: App, relay: FakeRelay) -> None:
    await give_role(app, ADMIN, ADA, Role.OWNER)
    request = await ask(app, ADA)
    word, code = read_letter(relay)

    uses = [sign_in_by_link(app, word, request.browser, device=DEVICE) for _ in range(4)]
    codes = [sign_in_by_code(app, code, request.browser, device=DEVICE, source=None) for _ in range(4)]
    results = await asyncio.gather(*uses, *codes, return_exceptions=True)

    assert sum(not isinstance(one, BaseException) for one in results) == 1, results
    assert len(await list_sessions(app, ADMIN)) == 1


async def test_old_sign_ins_go_and_their_letters_name_nobody_any_more(app: App, relay: FakeRelay, clock: Clock) -> None:
    await give_role(app, ADMIN, ADA, Role.OWNER)
    await ask(app, ADA)
    await ask(app, MALLORY)
    word = str(await make_sign_in_link(app, ADMIN, ADA)).rpartition("/")[2]
    signed_in = await sign_in_by_link(app, word, "", device=DEVICE)

    clock.advance(days=2)
    assert (await purge(app))["sign_ins"] == 3
    assert await find_session(app, signed_in.cookie) is not None
    clock.advance(days=14)
    purged = await purge(app)

    assert (purged["sign_ins"], purged["sessions"]) == (0, 1)
    text = await app.database.read(lambda tx: str(tx.exec_driver_sql("SELECT address FROM delivery").all()))
    assert "example.org" not in text
