"""How suppressed people subscribe again, by each channel; and restoring all people after an outage."""

from __future__ import annotations

from typing import Any

import pytest

from mailer.actions.imports.plan_import import plan_import
from mailer.actions.imports.run_import import run_import
from mailer.actions.subscriptions.confirm import confirm
from mailer.actions.subscriptions.decline import never_ask_again
from mailer.actions.subscriptions.restore_people import restore_people
from mailer.actions.subscriptions.restore_person import restore_person
from mailer.actions.subscriptions.resubscribe import resubscribe
from mailer.actions.subscriptions.show_person import show_person
from mailer.actions.subscriptions.subscribe import subscribe
from mailer.actions.subscriptions.unsubscribe import unsubscribe
from mailer.app import App
from mailer.domain.address import parse_address
from mailer.domain.bounce import BounceReason
from mailer.domain.consent import Channel, Evidence
from mailer.domain.subscription import SubscriptionState
from mailer.domain.subscription_request import SubscriptionRequest
from mailer.domain.suppression import LIFTABLE_REASONS, LIFTED_BY_REQUEST, SuppressionReason
from mailer.domain.token import Purpose, sign_token
from mailer.errors import NothingPending
from mailer.importers.person_row import PersonRow, SuppressionEntry
from tests.support.app_helpers import (
    ADA,
    ADMIN,
    BEA,
    EMMA,
    LINK_EVIDENCE,
    ROSA,
    Clock,
    import_rows,
    launch_campaign,
    open_list,
    receive_person_mail,
    receive_raw_mail,
    recipients,
    send_campaigns,
    send_notices,
    suppress,
    token_in,
)
from tests.support.bounce_mails import FULL, UNKNOWN, bounce, complaint
from tests.support.fake_relay import FakeRelay
from tests.support.invented_exports import invented_export

SQLITE, SLOW = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True), pytest.mark.slow


async def come_back(app: App, relay: FakeRelay, reader: str, said: str) -> None:
    letter = next(one for one in reversed(relay.letters) if one.recipient == reader)
    await receive_raw_mail(app, bounce(reader, said), letter.sender.partition("@")[0], sender="")


async def keep_off(app: App, relay: FakeRelay, why: str) -> None:
    """Rosa reads two lists, and then gets no letters for this reason."""
    for name in ("appeals", "walks"):
        await open_list(app, name)
        await import_rows(app, f"{ROSA},Rosa,en", list_name=name)
    await launch_campaign(app)
    await send_campaigns(app)
    if why == "bounced":
        await come_back(app, relay, ROSA, UNKNOWN)
    elif why == "complained":
        await receive_raw_mail(app, complaint(relay.letters[-1]), "cfbl", sender="fbl@example.net")
    elif why in {"paused", "banned"}:
        await suppress(app, ROSA, SuppressionReason(why), list_name="appeals")
    elif why == "left":
        await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, 1), LINK_EVIDENCE)
    else:
        await never_ask_again(app, sign_token(app.site.keyring, Purpose.NEVER, 1), LINK_EVIDENCE)


async def ask_by(app: App, channel: str) -> Any:
    if channel == "form":
        form = Evidence(Channel.FORM)
        await subscribe(app, SubscriptionRequest(list_name="appeals", address=parse_address(ROSA), evidence=form))
        return await send_notices(app)
    if channel in {"mail", "authenticated mail"}:
        return await receive_person_mail(app, "appeals-join", ROSA, authenticated=channel == "authenticated mail")
    if channel == "restore":
        return await restore_person(app, ADMIN, ROSA, list_name="appeals")
    done = await import_rows(app, f"{ROSA},Rosa,en", invite=channel == "invite")
    assert (done.added, done.kept_out) == (0, 1)
    return await send_notices(app)


# What goes out for it, whether its confirmation brings her back, and how she stands before that.
ASKED, NOTIFIED, OWNER_NOTIFIED, NOTHING = [ROSA], [ROSA], [ADA], []
CHANNELS = ("mail", "form", "authenticated mail", "import", "invite", "restore")
TABLE = {
    "bounced": (ASKED, ASKED, NOTIFIED, NOTHING, NOTHING, NOTHING),
    "left": (ASKED, ASKED, ASKED, NOTHING, NOTHING, NOTHING),
    "complained": (NOTHING, NOTHING, OWNER_NOTIFIED, NOTHING, NOTHING, NOTHING),
    "never": (NOTHING, NOTHING, OWNER_NOTIFIED, NOTHING, NOTHING, NOTHING),
    "paused": (ASKED, ASKED, NOTIFIED, NOTHING, NOTHING, NOTHING),
    "banned": (NOTHING, NOTHING, OWNER_NOTIFIED, NOTHING, NOTHING, NOTHING),
}
BACK_AT_ONCE = {
    *((why, "authenticated mail") for why in LIFTED_BY_REQUEST),
    *((why, "restore") for why in LIFTABLE_REASONS),
}
STAY_SUBSCRIBED = {"paused", "banned"}
"""They are suppressed and nothing else: what is confirmed stays so."""


def each_channel_against_each_suppression() -> list[Any]:
    """Slow is what is refused alike whatever the reason is."""
    return [
        pytest.param(why, channel, marks=[] if why == "left" or goes or (why, channel) in BACK_AT_ONCE else SLOW)
        for why in SuppressionReason
        for channel, goes in zip(CHANNELS, TABLE[why], strict=True)
    ]


@SQLITE
@pytest.mark.parametrize(("why", "channel"), each_channel_against_each_suppression())
async def test_each_channel_against_each_suppression(app: App, relay: FakeRelay, why: str, channel: str) -> None:
    await keep_off(app, relay, why)
    sent = len(relay.letters)

    await ask_by(app, channel)

    goes = TABLE[why][CHANNELS.index(channel)]
    person = await show_person(app, ADMIN, ROSA)
    assert recipients(relay)[sent:] == goes
    assert (person.subscriptions["appeals"] == "confirmed") is (
        (why, channel) in BACK_AT_ONCE or why in STAY_SUBSCRIBED
    )
    assert bool(person.suppressions) is ((why, channel) not in BACK_AT_ONCE)
    if goes == ASKED and (why, channel) not in BACK_AT_ONCE:
        await confirm(app, token_in(relay.letters[-1], "confirm"), LINK_EVIDENCE)
        person = await show_person(app, ADMIN, ROSA)
        assert (person.subscriptions["appeals"], person.suppressions) == ("confirmed", ())
        assert all(line.undone for line in person.bounces)


@SQLITE
async def test_who_is_banned_and_was_never_on_the_list_may_join_once_an_organiser_restores_them(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)
    await suppress(app, ROSA, SuppressionReason.BANNED, list_name="appeals")
    await ask_by(app, "mail")
    refused = len(relay.letters)

    restored = await restore_person(app, ADMIN, ROSA, list_name="appeals")
    await ask_by(app, "mail")

    assert refused == 0
    assert (restored.state, restored.lifted, restored.reasons) == (None, ("appeals",), ("banned",))
    assert recipients(relay) == [ROSA]


@SQLITE
async def test_a_ban_refuses_a_confirmation_and_a_pause_ends_when_leaving_is_taken_back(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)
    await ask_by(app, "mail")
    token = token_in(relay.letters[-1], "confirm")
    await suppress(app, ROSA, SuppressionReason.BANNED, list_name="appeals")

    with pytest.raises(NothingPending):
        await confirm(app, token, LINK_EVIDENCE)
    await restore_person(app, ADMIN, ROSA, list_name="appeals")
    await confirm(app, token, LINK_EVIDENCE)
    await suppress(app, ROSA, SuppressionReason.PAUSED, list_name=None)
    left = await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, 1), LINK_EVIDENCE)
    await resubscribe(app, left.rejoin_token, LINK_EVIDENCE)

    person = await show_person(app, ADMIN, ROSA)
    assert (person.subscriptions, person.suppressions) == ({"appeals": "confirmed"}, ())


@SQLITE
async def test_letters_under_way_to_somebody_who_is_paused_or_banned_meanwhile_are_not_sent(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)
    await import_rows(app, f"{ROSA},Rosa,en", f"{EMMA},Emma,en", f"{BEA},Bea,en")
    await launch_campaign(app)
    await suppress(app, ROSA, SuppressionReason.PAUSED, list_name="appeals")
    await suppress(app, EMMA, SuppressionReason.BANNED, list_name=None)

    await send_campaigns(app)

    assert recipients(relay) == [BEA]


async def test_a_subscriber_suppressed_for_all_lists_is_asked_and_restored_by_confirming(
    app: App, relay: FakeRelay
) -> None:
    await keep_off(app, relay, "bounced")
    sent = len(relay.letters)

    await receive_person_mail(app, "walks-join", ROSA)
    waiting = (await show_person(app, ADMIN, ROSA)).subscriptions
    for _ in range(2):
        await confirm(app, token_in(relay.letters[-1], "confirm"), LINK_EVIDENCE)
    await launch_campaign(app, "walks")
    await send_campaigns(app)

    person = await show_person(app, ADMIN, ROSA)
    assert waiting == {"appeals": "unsubscribed", "walks": "confirmed"}, "a stranger's request changes nothing yet"
    assert recipients(relay)[sent:] == [ROSA, ROSA]
    assert (person.suppressions, person.subscriptions["walks"]) == ((), "confirmed")
    assert [line.act for line in person.consents].count("restored") == 1


async def test_who_left_all_lists_of_other_software_comes_back_by_their_own_word_alone(
    app: App, relay: FakeRelay
) -> None:
    await open_list(app)
    left = SuppressionEntry(reason=SuppressionReason.LEFT, everywhere=True, since=None)
    row = PersonRow(
        address=parse_address(ROSA), attributes={}, state=SubscriptionState.UNSUBSCRIBED, suppressions=(left,)
    )
    async with await plan_import(app, ADMIN, list_name="appeals", export=invented_export(row)) as plan:
        await run_import(app, ADMIN, plan)
    again = await import_rows(app, f"{ROSA},Rosa,en")
    restored = await restore_person(app, ADMIN, ROSA, list_name="appeals")

    await ask_by(app, "form")
    waiting = await show_person(app, ADMIN, ROSA)
    await confirm(app, token_in(relay.letters[-1], "confirm"), LINK_EVIDENCE)
    back = await show_person(app, ADMIN, ROSA)
    await launch_campaign(app)
    await send_campaigns(app)

    assert again.kept_out == 1
    assert restored.lifted == ()
    assert [one.reason for one in waiting.suppressions] == ["left"]
    assert (back.subscriptions["appeals"], back.suppressions) == ("confirmed", ())
    assert recipients(relay) == [ROSA, ROSA]


@SQLITE
async def test_an_unauthenticated_request_for_a_bounced_person_does_not_hinder_restoring(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    await keep_off(app, relay, "bounced")
    await receive_person_mail(app, "appeals-join", ROSA)
    await come_back(app, relay, ROSA, UNKNOWN)
    await receive_person_mail(app, "appeals-help", ROSA)
    clock.advance(days=2)
    await receive_person_mail(app, "appeals-join", ROSA)
    await launch_campaign(app)
    sent = len(relay.letters)

    restored = await restore_person(app, ADMIN, ROSA, list_name="appeals")
    await send_campaigns(app)

    assert (restored.state, restored.lifted, restored.why_not) == ("confirmed", ("every list",), None)
    assert recipients(relay)[sent:] == [], "she was not on the list when that campaign was launched"


@SQLITE
@pytest.mark.parametrize(
    ("why", "reason"),
    [("left", "left by their own word"), ("never", "never to be written to"), ("pending", "asked to")],
)
async def test_restoring_says_why_a_person_still_gets_no_letters(
    app: App, relay: FakeRelay, why: str, reason: str
) -> None:
    if why == "pending":
        await open_list(app)
        await receive_person_mail(app, "appeals-join", ROSA)
    else:
        await keep_off(app, relay, why)

    restored = await restore_person(app, ADMIN, ROSA, list_name="appeals")

    assert restored.lifted == ()
    assert reason in (restored.why_not or "")
    acts = [line.act for line in (await show_person(app, ADMIN, ROSA)).consents]
    assert "restored" not in acts


async def test_restoring_after_an_outage_restores_all_it_hit_and_nobody_else(
    app: App, relay: FakeRelay, clock: Clock
) -> None:
    hit = [f"{name}@example.net" for name in ("hard", "soft", "left", "complained", "early")]
    await open_list(app)
    await open_list(app, "walks")
    await import_rows(app, *(f"{one},," for one in (*hit, ROSA, EMMA)))
    await import_rows(app, f"{hit[0]},,", list_name="walks")
    await launch_campaign(app)
    await send_campaigns(app)
    await come_back(app, relay, hit[4], UNKNOWN)
    clock.advance(hours=1)
    since = clock()
    for one in (hit[0], hit[2], hit[3], ROSA):
        await come_back(app, relay, one, UNKNOWN)
    await come_back(app, relay, hit[1], FULL)
    complains = next(one for one in relay.letters if one.recipient == hit[3])
    await receive_raw_mail(app, complaint(complains), "cfbl", sender="fbl@example.net")
    await unsubscribe(app, sign_token(app.site.keyring, Purpose.LEAVE, 3), LINK_EVIDENCE)
    clock.advance(hours=1)
    until = clock()
    clock.advance(hours=1)

    async def restore(**more: Any) -> dict[str, tuple[Any, ...]]:
        found = await restore_people(app, ADMIN, since=since, until=until, provider="example.net", **more)
        return {one.address.partition("@")[0]: (one.lifted, one.lists, one.undone) for one in found}

    every = ("every list",)
    expected = {
        "hard": (every, ("appeals", "walks"), 1),
        "soft": ((), ("appeals",), 1),
        "left": (every, (), 1),
        "complained": (every, (), 1),
    }
    before = [await show_person(app, ADMIN, one) for one in hit]
    assert await restore(dry_run=True) == expected
    assert [await show_person(app, ADMIN, one) for one in hit] == before, "a rehearsal writes nothing"
    assert await restore(reason=BounceReason.FULL) == {"soft": expected["soft"]}
    assert await restore(list_name="walks") == {"hard": (every, ("appeals", "walks"), 0)}
    assert await restore() == {name: expected[name] for name in ("left", "complained")} | {
        "hard": ((), ("appeals", "walks"), 1)
    }
    assert await restore() == {}

    states = {one: await show_person(app, ADMIN, one) for one in (*hit, ROSA)}
    assert {one: states[one].subscriptions["appeals"] for one in states} == {
        hit[0]: "confirmed",
        hit[1]: "confirmed",
        hit[2]: "unsubscribed",
        hit[3]: "unsubscribed",
        hit[4]: "unsubscribed",
        ROSA: "unsubscribed",
    }
    orders = {one: [order.reason for order in states[one].suppressions] for one in states}
    assert orders == {
        hit[0]: [],
        hit[1]: [],
        hit[2]: ["left"],
        hit[3]: ["complained"],
        hit[4]: ["bounced"],
        ROSA: ["bounced"],
    }
