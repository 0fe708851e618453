"""The promises held through the real process: killed, stopped, left in mid-blast, and started twice."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx
import pytest

from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.report import campaign_status, report
from mailer.actions.campaigns.schedule import send_now
from mailer.app import App
from mailer.domain.address import parse_address
from mailer.domain.campaign import CampaignState
from mailer.domain.delivery import DeliveryState
from mailer.domain.keyring import write_keyring
from mailer.domain.token import Purpose, sign_token
from mailer.store import incoming_mails, subscriptions
from mailer.store.database import Database
from tests.support.app_helpers import ADMIN, DOMAIN, ROOT, import_rows, open_list, recipients
from tests.support.fake_relay import FakeRelay
from tests.support.fake_relay_session import Hold
from tests.support.running_service import running_service

CONNECTIONS = 4
LINES = CONNECTIONS - 1
"""Those a campaign gets: one is kept for notices."""
LETTER = "---\nsubject: Seeds are in\n---\nDear friend,\n\ncome and fetch them.\n"
SETTINGS = """\
[service]
domain = "{domain}"
serve_migrates = false
[sending]
workers = 1
[database]
url = "{url}"
[intake]
port = 0
[web]
port = 0
[[relay]]
port = {relay}
connections = {connections}
"""
PATIENCE_S = 20


@dataclass
class Process:
    """`mailer serve` in a process of its own."""

    child: asyncio.subprocess.Process
    said: list[str] = field(default_factory=list)

    async def says(self, words: str) -> str:
        """The next line on stderr that holds these words."""
        assert self.child.stderr is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := (await self.child.stderr.readline()).decode():
                self.said.append(line)
                if words in line:
                    return line
        raise AssertionError(f"it ended without a word of {words!r}: {''.join(self.said)}")

    async def opens(self) -> tuple[int, int]:
        """The ports of its mail door and its web door, once they are open."""
        intake, pages = re.findall(r"127\.0\.0\.1:(\d+)", await self.says("started service"))
        return int(intake), int(pages)

    async def dies(self) -> None:
        """It is killed, without a chance to put anything down."""
        self.child.kill()
        await self.child.wait()

    async def stops(self) -> None:
        """It is asked to end, and ends well."""
        self.child.terminate()
        assert await self.ends() == 0, self.said

    async def ends(self) -> int:
        """The code it exits with; what was left to read is read."""
        async with asyncio.timeout(PATIENCE_S):
            _, rest = await self.child.communicate()
        self.said += rest.decode().splitlines(keepends=True)
        assert self.child.returncode is not None
        return self.child.returncode


Serve = Callable[[], Awaitable[Process]]


@pytest.fixture
def organiser(app: App) -> App:
    """An App for Ada's commands, on the real clock; the service runs beside it."""
    return replace(app, clock=lambda: datetime.now(UTC))


@pytest.fixture
async def serve(organiser: App, database_url: str, relay: FakeRelay, tmp_path: Path) -> AsyncIterator[Serve]:
    """Starts the service on the test's database and relay; what still runs at the end is killed."""
    (tmp_path / "secret").write_text(write_keyring(organiser.site.keyring))
    settings = tmp_path / "settings.toml"
    settings.write_text(SETTINGS.format(domain=DOMAIN, url=database_url, relay=relay.port, connections=CONNECTIONS))
    started: list[Process] = []

    async def start() -> Process:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mailer", "serve"),
            cwd=ROOT,
            env=os.environ | {"MAILER_SETTINGS": str(settings)},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(Process(child))
        return started[-1]

    yield start
    for process in started:
        if process.child.returncode is None:
            process.child.kill()
        # Its pipe is read to the end, else the transport would outlive the loop.
        await process.child.communicate()


def everyone(number: int) -> list[str]:
    return [f"person{one}@example.org" for one in range(number)]


async def call_up(organiser: App, people: list[str]) -> int:
    """A list of these people, and a campaign whose hour has come; its id."""
    await open_list(organiser)
    await import_rows(organiser, *(f"{address},Friend,en" for address in people))
    campaign_id = await new_campaign(organiser, ADMIN, list_name="appeals", texts={"letter.md": LETTER})
    await send_now(organiser, ADMIN, campaign_id, wait_s=0)
    return campaign_id


def hold_all_lines(relay: FakeRelay, after: int) -> list[Hold]:
    """Silence on every line of the campaign, once the relay has answered `after` more letters."""
    return [relay.holds("dot", nth=after + line) for line in range(1, LINES + 1)]


async def reached(holds: list[Hold]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        for hold in holds:
            await hold.reached.wait()


def release(holds: list[Hold]) -> None:
    for hold in holds:
        hold.released.set()


async def states(organiser: App, campaign_id: int) -> dict[str, DeliveryState]:
    return {row.address: DeliveryState(row.state) async for row in report(organiser, ADMIN, campaign_id)}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.slow
async def test_the_first_start_prints_a_link_that_makes_an_owner_and_later_starts_print_none(
    organiser: App, serve: Serve
) -> None:
    first = await serve()
    _, pages = await first.opens()
    link = (await first.says("/console/set-up/")).split()[-1]
    path = link.removeprefix("http://127.0.0.1:8080")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{pages}") as browser:
        form = {"address": "ada@example.org", "language": "en", "zone": "UTC"}
        made = await browser.post(path, data=form, headers={"Sec-Fetch-Site": "same-origin"})
        assert (made.status_code, (await browser.get("/console")).status_code) == (303, 200)
    await first.stops()

    second = await serve()
    await second.opens()
    await second.stops()

    assert "set-up" not in "".join(second.said)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_two_kills_in_mid_blast_lose_nobody_and_repeat_at_most_a_letter_a_line(
    organiser: App, serve: Serve, relay: FakeRelay
) -> None:
    people = everyone(200)
    campaign_id = await call_up(organiser, people)

    first = await serve()
    await relay.wait_for(50, PATIENCE_S)
    await first.dies()
    holds = hold_all_lines(relay, 50)
    second = await serve()
    await reached(holds)  # the worst moment: every line has given its letter and waits for the answer
    await second.dies()
    in_doubt = {row.id async for row in report(organiser, ADMIN, campaign_id) if row.state == DeliveryState.HANDED}
    release(holds)
    third = await serve()
    named = await third.says("recovered handed letters")
    await third.says("sent campaign")
    await third.stops()

    assert set(recipients(relay)) == set(people)
    assert LINES <= len(relay.letters) - len(people) <= 2 * LINES
    assert len({(letter.recipient, letter.content) for letter in relay.letters}) == len(people)
    assert len(in_doubt) == LINES
    assert all(str(number) in re.findall(r"\d+", named.partition("resent=")[2]) for number in in_doubt)
    status = await campaign_status(organiser, ADMIN, campaign_id)
    assert status.counts == {DeliveryState.ACCEPTED: len(people)}
    assert status.audience == status.campaign.audience == len(people)
    assert status.campaign.state is CampaignState.SENT


@pytest.mark.slow
async def test_mail_that_was_answered_250_is_acted_on_once_although_we_were_killed(
    organiser: App, serve: Serve, relay: FakeRelay
) -> None:
    await open_list(organiser)
    hold = relay.holds("greeting")
    first = await serve()
    intake, _ = await first.opens()
    people = everyone(20)

    await asyncio.gather(*(ask_to_join(intake, address) for address in people))
    await first.dies()
    relay.forget_orders()
    hold.released.set()
    second = await serve()
    await relay.wait_for(len(people), PATIENCE_S)
    await second.stops()

    assert Counter(recipients(relay)) == Counter(people)


async def ask_to_join(intake: int, address: str) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = address, f"appeals-join@{DOMAIN}", "I would like to"
    mail["Message-ID"] = f"<asking-{address}>"
    mail.set_content("Please.")
    await aiosmtplib.send(mail, hostname="127.0.0.1", port=intake)


async def test_a_stop_awaits_letters_on_their_way_and_no_idle_guest(
    organiser: App, serve: Serve, relay: FakeRelay
) -> None:
    campaign_id = await call_up(organiser, everyone(30))
    hold = relay.holds("dot")
    process = await serve()
    intake, pages = await process.opens()
    mail_guest, mail_line = await asyncio.open_connection("127.0.0.1", intake)
    await mail_guest.readline()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{pages}") as web_guest:
        await web_guest.get("/health")
        await reached([hold])

        process.child.send_signal(signal.SIGTERM)
        farewell = await mail_guest.readline()
        hold.released.set()
        code = await process.ends()

    counts = (await campaign_status(organiser, ADMIN, campaign_id)).counts
    assert farewell.startswith(b"421")
    assert code == 0
    assert 1 <= len(relay.letters) <= LINES
    assert counts == {DeliveryState.ACCEPTED: len(relay.letters), DeliveryState.QUEUED: 30 - len(relay.letters)}
    mail_line.close()
    with suppress(ConnectionError):
        await mail_line.wait_closed()


async def test_whoever_leaves_in_mid_blast_is_handed_nothing_from_the_answer_on(
    organiser: App, serve: Serve, relay: FakeRelay
) -> None:
    people = everyone(200)
    campaign_id = await call_up(organiser, people)
    holds = hold_all_lines(relay, 20)
    process = await serve()
    _, pages = await process.opens()
    await reached(holds)
    before = await states(organiser, campaign_id)
    claimed = next(address for address in people if before[address] is DeliveryState.CLAIMED)
    queued = next(address for address in reversed(people) if before[address] is DeliveryState.QUEUED)

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{pages}") as browser:
        answers = [await browser.post(f"/leave/{await leave_token(organiser, one)}") for one in (claimed, queued)]
    release(holds)
    await process.says("sent campaign")
    await process.stops()

    assert [answer.status_code for answer in answers] == [200, 200]
    assert set(people) - set(recipients(relay)) == {claimed, queued}
    assert len(relay.letters) == len(people) - 2
    after = await states(organiser, campaign_id)
    assert {one for one in people if after[one] is DeliveryState.SUPPRESSED} == {claimed, queued}


async def leave_token(organiser: App, address: str) -> str:
    found = await organiser.database.read(subscriptions.find, 1, parse_address(address).key)
    assert found is not None
    return sign_token(organiser.site.keyring, Purpose.LEAVE, found.id)


async def test_a_second_service_on_one_database_is_refused_in_one_line(
    app: App, serve: Serve, database_url: str
) -> None:
    async with running_service(app):
        second = await serve()
        code = await second.ends()

    assert code == 2
    assert len(second.said) == 1
    assert database_url.rpartition("/")[2].partition("?")[0] in second.said[0]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("happens", ["moved", pytest.param("replaced", marks=pytest.mark.slow)])
@pytest.mark.slow
async def test_a_service_whose_database_is_moved_away_says_250_no_more_and_ends_with_why(
    organiser: App, serve: Serve, relay: FakeRelay, tmp_path: Path, happens: str
) -> None:
    await open_list(organiser)
    await organiser.close()
    relay.stop_listening()
    file, away = tmp_path / "mailer.db", tmp_path / "away.db"
    first = await serve()
    intake, _ = await first.opens()
    await ask_to_join(intake, "rosa@example.org")
    if happens == "replaced":
        os.link(file, away)
        shutil.copy(file, tmp_path / "backup.db")
        (tmp_path / "backup.db").replace(file)
    else:
        file.rename(away)

    refused = await status(intake, "emma@example.org")
    code = await first.ends()

    assert refused in {"421", "451", "452", "nobody there"}
    assert (code, [line for line in first.said if line.startswith("mailer: the database: ")] != []) == (2, True)
    if happens == "moved":
        again = await serve()
        assert await again.ends() == 2
        assert not file.exists()
    there = Database(f"sqlite:///{away}")
    assert await there.read(incoming_mails.count_all) == 1
    await there.close()


async def status(intake: int, address: str) -> str:
    """What the mail door answers to one who asks to join."""
    try:
        await ask_to_join(intake, address)
    except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPResponseException) as no:
        return str(no.code if not isinstance(no, aiosmtplib.SMTPRecipientsRefused) else no.recipients[0].code)
    except (aiosmtplib.SMTPException, OSError):
        return "nobody there"
    return "250"
