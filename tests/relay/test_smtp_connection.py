"""Opening a connection: greeting, TLS and login, and the sentence that says why it failed."""

from __future__ import annotations

import asyncio

import pytest
import uvloop

from mailer.domain.delivery import Verdict
from mailer.errors import RelayUnavailable
from mailer.relay.smtp_connection import connect
from tests.support.fake_relay import FakeRelay
from tests.support.relay_helpers import CONTENT, ROSA, connected, letter_to, relay_at

LOGIN = ("mailer", "apples and pears")
LOOPS = pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])


@LOOPS
@pytest.mark.parametrize("tls", ["none", "starttls", "tls"])
def test_letters_go_out_on_either_loop_with_and_without_tls(loop_factory, tls):
    content = CONTENT + b"A long line of apples and pears.\r\n" * 20_000

    async def send_twice():
        async with FakeRelay(tls=tls, login=LOGIN) as fake:
            async with connected(fake, username=LOGIN[0], password=LOGIN[1]) as connection:
                outcomes = [await connection.send(letter_to(ROSA, content)) for _ in range(2)]
            return outcomes, fake.letters

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        outcomes, letters = runner.run(send_twice())

    assert [outcome.verdict for outcome in outcomes] == [Verdict.ACCEPTED] * 2
    assert [letter.content for letter in letters] == [content] * 2


@pytest.mark.parametrize("auth", ["PLAIN", "LOGIN", "LOGIN PLAIN"])
@pytest.mark.parametrize("tls", ["none", "starttls", "tls"])
async def test_we_log_in_by_whichever_way_the_relay_knows(tls, auth):
    async with FakeRelay(tls=tls, login=LOGIN, auth=auth) as fake:
        async with connected(fake, username=LOGIN[0], password=LOGIN[1]) as connection:
            outcome = await connection.send(letter_to(ROSA))

    assert outcome.verdict is Verdict.ACCEPTED
    [login] = [line for _, line in fake.commands if line.startswith("AUTH")]
    assert login.split()[1] in auth.split()


@LOOPS
@pytest.mark.parametrize("tls", ["none", "starttls", "tls"])
def test_a_broken_connection_is_noticed_on_either_loop_with_and_without_tls(loop_factory, tls):
    async def send_and_lose():
        async with FakeRelay(tls=tls) as fake:
            fake.drops("data", nth=1)
            fake.drops("dot", nth=1)
            outcomes = []
            for _ in range(2):
                async with connected(fake) as connection:
                    outcomes.append(await connection.send(letter_to(ROSA)))
            return [outcome.verdict for outcome in outcomes]

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        assert runner.run(send_and_lose()) == [Verdict.UNTRIED, Verdict.UNKNOWN]


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_certificate_nobody_vouches_for_is_not_trusted(tls):
    async with FakeRelay(tls=tls) as fake:
        with pytest.raises(RelayUnavailable, match=r"certificate that we do not trust: self-signed") as refusal:
            await connect(relay_at(fake))

    assert refusal.value.refused
    assert not any(line.startswith(("AUTH", "MAIL")) for _, line in fake.commands)


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_certificate_of_another_host_is_not_trusted(tls):
    async with FakeRelay(tls=tls) as fake:
        with pytest.raises(RelayUnavailable, match=r"certificate that we do not trust: Hostname mismatch") as refusal:
            await connect(relay_at(fake, host="localhost"), tls_context=fake.trust)

    assert refusal.value.refused


async def test_a_relay_without_starttls_is_not_used_where_tls_is_required(fake):
    with pytest.raises(RelayUnavailable, match=f"127.0.0.1:{fake.port} .*STARTTLS") as refusal:
        await connect(relay_at(fake, tls="starttls"))

    assert refusal.value.refused
    assert not any(line.startswith("MAIL") for _, line in fake.commands)


async def test_a_relay_that_offers_starttls_but_refuses_it_is_not_used():
    async with FakeRelay(tls="starttls") as fake:
        fake.answers("starttls", "454 4.7.0 TLS not available")

        with pytest.raises(RelayUnavailable, match=r"does not let us in: 454 4.7.0 TLS not available") as refusal:
            await connect(relay_at(fake))

    assert not refusal.value.refused


async def test_a_relay_that_speaks_plainly_where_tls_is_expected_is_not_used(fake):
    with pytest.raises(RelayUnavailable, match=r"could not agree with us on TLS"):
        await connect(relay_at(fake, tls="tls"))


@pytest.mark.parametrize("auth", ["PLAIN", "LOGIN"])
async def test_a_wrong_password_is_said_without_naming_it(auth):
    async with FakeRelay(login=LOGIN, auth=auth) as fake:
        with pytest.raises(RelayUnavailable, match=r"user name and password: 535 5.7.8 wrong") as refusal:
            await connect(relay_at(fake, username="mailer", password="plums"))

    assert refusal.value.refused
    assert "plums" not in str(refusal.value)
    assert "plums" not in repr(relay_at(fake, username="mailer", password="plums"))


async def test_a_relay_that_wants_no_login_is_not_given_one(fake):
    with pytest.raises(RelayUnavailable, match="AUTH extension is not supported") as refusal:
        await connect(relay_at(fake, username="mailer", password="plums"))

    assert refusal.value.refused


async def test_a_relay_that_knows_no_login_of_ours_is_for_people_to_mend():
    async with FakeRelay(login=LOGIN, auth="GSSAPI") as fake:
        with pytest.raises(RelayUnavailable, match="No suitable authentication method") as refusal:
            await connect(relay_at(fake, username=LOGIN[0], password=LOGIN[1]))

    assert refusal.value.refused


@pytest.mark.parametrize(("reply", "refused"), [("454 4.7.0 try later", False), ("535 5.7.8 no", True)])
async def test_a_login_refused_for_now_may_be_tried_again_and_one_refused_for_good_not(reply, refused):
    async with FakeRelay(login=LOGIN) as fake:
        fake.answers("auth", reply)

        with pytest.raises(RelayUnavailable, match=f"user name and password: {reply}") as refusal:
            await connect(relay_at(fake, username=LOGIN[0], password=LOGIN[1]))

    assert refusal.value.refused is refused


@pytest.mark.parametrize(("greeting", "refused"), [("421 4.3.2 busy", False), ("554 5.7.1 not you", True)])
async def test_a_relay_that_greets_with_a_refusal_is_unavailable(fake, greeting, refused):
    fake.answers("greeting", greeting)

    with pytest.raises(RelayUnavailable, match=f"127.0.0.1:{fake.port} does not let us in: {greeting}") as refusal:
        await connect(relay_at(fake))

    assert refusal.value.refused is refused


@pytest.mark.parametrize("stage", ["greeting", "ehlo"])
async def test_a_relay_that_hangs_up_on_us_is_unavailable(fake, stage):
    fake.drops(stage)

    with pytest.raises(RelayUnavailable, match=f"127.0.0.1:{fake.port} cannot be used: ") as trouble:
        await connect(relay_at(fake))

    assert not trouble.value.refused


@pytest.mark.parametrize("stage", ["greeting", "ehlo"])
async def test_a_relay_that_stays_silent_is_unavailable(fake, stage):
    fake.holds(stage)

    with pytest.raises(RelayUnavailable, match=r"did not answer within 0.1 s") as trouble:
        await connect(relay_at(fake, timeout_s=0.1))

    assert not trouble.value.refused


async def test_a_relay_that_refuses_ehlo_is_unavailable(fake):
    fake.answers("ehlo", "550 5.5.0 not with that name")

    with pytest.raises(RelayUnavailable, match=r"550 5.5.0 not with that name") as refusal:
        await connect(relay_at(fake))

    assert refusal.value.refused


@LOOPS
def test_a_port_where_nobody_listens_is_unavailable(loop_factory):
    async def knock():
        async with FakeRelay() as fake:
            pass
        where = f"127.0.0.1:{fake.port}"
        with pytest.raises(RelayUnavailable, match=f"{where} cannot be reached: Connection refused") as trouble:
            await connect(relay_at(fake))
        assert not trouble.value.refused

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(knock())


@pytest.mark.parametrize("host", ["nowhere.invalid", "a..b"])
async def test_a_host_that_does_not_exist_is_unavailable(fake, host):
    with pytest.raises(RelayUnavailable, match=f"the relay {host}:{fake.port} cannot be"):
        await connect(relay_at(fake, host=host))
