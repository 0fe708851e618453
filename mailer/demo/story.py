"""DemoScenario: joining, two campaigns and leaving on this machine, over real sockets, each step checked."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
import tempfile
import webbrowser
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from mailer.actions.campaigns.new_campaign import new_campaign
from mailer.actions.campaigns.report import campaign_status
from mailer.actions.campaigns.schedule import schedule
from mailer.actions.imports.import_people import import_people
from mailer.actions.lists.edit_list import add_list, set_list
from mailer.actions.subscriptions.show_person import show_person
from mailer.demo.inbox import InboxLetter
from mailer.demo.people import invented_people, write_csv
from mailer.demo.stage import ADA, DEMO, DOMAIN, HOST, DemoService, run_demo_service
from mailer.domain.campaign import CampaignState
from mailer.domain.consent import Channel, Evidence
from mailer.domain.delivery import DeliveryState
from mailer.errors import MailerError

PEOPLE = 500
ROSA, EMMA, MALLORY = (f"{name}@example.org" for name in ("rosa", "emma", "mallory"))
_ZONE = "Europe/Berlin"
_SAMPLES = Path(__file__).parent / "samples"
_TIMEOUT_S = 60


class DemoFailed(MailerError):
    """A step of the demo did not have its expected result."""


class DemoScenario:
    """The steps in order; each returns a sentence on what it has shown."""

    def __init__(self, service: DemoService, console: Console) -> None:
        self.service, self.console = service, console
        emma = {"email": EMMA, "name": "Emma Ashgrove", "language": "en", "zone": "Europe/London", "town": "Leeds"}
        self.people = [emma, *invented_people(PEOPLE - 1, seed=2026)]
        self.emmas_leave_path = ""

    async def open(self) -> str:
        """The service answers; a list in three languages is opened."""
        code, body = await self.service.get("/health")
        check(code == 200 and body == "ok\n", "the pages answer")
        await add_list(
            self.service.app,
            DEMO,
            name="harvest",
            title="Harvest Letters",
            owner=ADA,
            description="Invitations and news from the harvest circle.",
        )
        await set_list(self.service.app, DEMO, "harvest", archive="public")
        code, body = await self.service.get("/join/harvest")
        check(code == 200 and all(f'value="{tag}"' in body for tag in ("de", "en", "tr")), "the form has 3 languages")
        return f"the service is up and the list harvest@{DOMAIN} is open, in English, German and Turkish"

    async def bring_people(self) -> str:
        """People are imported."""
        table = io.StringIO()
        write_csv(self.people, table)
        table.seek(0)
        evidence = Evidence(Channel.IMPORT, {"file": "people.csv", "by": "ada"})
        imported = await import_people(self.service.app, DEMO, list_name="harvest", file=table, evidence=evidence)
        check((imported.added, imported.bad) == (PEOPLE, []), "everybody was imported")
        return f"{imported.added} invented people imported, on Ada's word, which is kept as the evidence"

    async def rosa_joins(self) -> str:
        """Rosa asks by mail, confirms by replying, and is welcomed."""
        check(await self.service.mail(ROSA, f"harvest-join@{DOMAIN}", "Hello") == 250, "her mail was taken")
        confirmation = await self._letter_to(ROSA, 1)
        reply_to = confirmation.header("Reply-To").strip("<> ")
        check(reply_to.startswith("harvest-confirm+"), "the letter can be answered")
        check((await self._state_of(ROSA)) == "pending", "she is not on the list before she confirmed")
        check(
            await self.service.mail(ROSA, reply_to, f"Re: {confirmation.subject}", "Yes, please.") == 250,
            "her reply was taken",
        )
        welcome = await self._letter_to(ROSA, 2)
        check("/leave/" in (welcome.text or ""), "the welcome shows her own way out")
        check((await self._state_of(ROSA)) == "confirmed", "she is on the list")
        return "Rosa wrote to harvest-join@, got the letter, replied, and is in"

    async def first_campaign_is_sent(self) -> str:
        """A campaign is scheduled, launched at its time, and arrives whole."""
        number = await self._schedule("harvest_forum", seconds=3)
        await self._follow(number, PEOPLE + 1)
        letters = [letter for letter in self._newsletters() if f":{DOMAIN}" in letter.header("Feedback-ID")]
        check(len({letter.recipient for letter in letters}) == PEOPLE + 1, "one letter for each person")
        subjects = {letter.subject.split(",")[-1] for letter in letters}
        check(len(subjects) == 3, "in three languages")
        emmas = next(letter for letter in letters if letter.recipient == EMMA)
        check("Emma" in (emmas.text or ""), "Emma's greets her")
        self.emmas_leave_path = emmas.header("List-Unsubscribe").split(">")[0].removeprefix(f"<{self.service.base_url}")
        code, body = await self.service.get("/archive/harvest")
        check(code == 200 and "Emma" not in body and f"/archive/harvest/{number}-" in body, "it is in the archive")
        return f"at the hour the clock fired: {len(letters)} letters, one each, in three languages, and a page of each"

    async def emma_leaves(self) -> str:
        """Emma leaves by her link: GET changes nothing, POST acts."""
        code, _ = await self.service.get(self.emmas_leave_path)
        check(code == 200 and (await self._state_of(EMMA)) == "confirmed", "looking at the page changes nothing")
        code, body = await self.service.post(self.emmas_leave_path)
        check(code == 200 and "/rejoin/" in body, "the goodbye page offers Undo")
        check((await self._state_of(EMMA)) == "unsubscribed", "she is off the list")
        return f"Emma ({EMMA}) opened her link, pressed the button, and is out"

    async def second_campaign_skips_her(self) -> str:
        """The next campaign does not go to Emma."""
        before = len(self.service.inbox.letters_to(EMMA))
        number = await self._schedule("library", seconds=2)
        await self._follow(number, PEOPLE)
        check(len(self.service.inbox.letters_to(EMMA)) == before, "nothing for Emma")
        return f"the second blast went to {PEOPLE} people, and not to Emma"

    async def mallory_fails(self) -> str:
        """A forged token is refused on the web and by mail."""
        forged = self.emmas_leave_path[:-3] + ("aaa" if not self.emmas_leave_path.endswith("aaa") else "bbb")
        codes = [(await self.service.get(forged))[0], (await self.service.post(forged))[0]]
        check(codes == [404, 404], "the page is not found")
        token = forged.rpartition("/")[2]
        check(await self.service.mail(MALLORY, f"harvest-confirm+{token}@{DOMAIN}") == 550, "the mail is refused")
        return "Mallory's forged token: 404 on the web, 550 by mail"

    async def _schedule(self, sample: str, seconds: int) -> int:
        app, zone = self.service.app, ZoneInfo(_ZONE)
        starts = (datetime.now(zone) + timedelta(days=12)).strftime("%Y-%m-%dT19:00")
        texts = {
            f"{sample}.{tag}.md": (_SAMPLES / f"{sample}.{tag}.md").read_text("utf-8").replace("EVENT_STARTS", starts)
            for tag in ("en", "de", "tr")
        }
        number = await new_campaign(app, DEMO, list_name="harvest", texts=texts)
        at = datetime.now(zone) + timedelta(seconds=seconds)
        await schedule(app, DEMO, number, local_time=at.replace(tzinfo=None).isoformat(timespec="seconds"), zone=_ZONE)
        return number

    async def _follow(self, number: int, letters: int) -> None:
        """Wait until this number of letters of a campaign is in the inbox; shows a bar."""
        columns = (TextColumn("   {task.description}"), BarColumn(), MofNCompleteColumn())
        quiet = not self.console.is_terminal
        with Progress(*columns, console=self.console, transient=True, disable=quiet) as bar:
            task = bar.add_task(f"campaign {number}", total=letters)

            def ours(letter: InboxLetter) -> bool:
                mine = letter.header("Feedback-ID").startswith(f"{number}:")
                bar.update(task, advance=int(mine))
                return mine

            await self.service.inbox.wait_for(ours, _TIMEOUT_S, count=letters)
        for _ in range(_TIMEOUT_S * 20):
            if (progress := await campaign_status(self.service.app, DEMO, number)).campaign.state is CampaignState.SENT:
                break
            await asyncio.sleep(0.05)
        check(progress.counts == {DeliveryState.ACCEPTED: letters}, "every letter is accounted for")

    def _newsletters(self) -> list[InboxLetter]:
        numbers = range(1, len(self.service.inbox) + 1)
        letters = (self.service.inbox.letter(number) for number in numbers)
        return [letter for letter in letters if letter.header("Precedence") == "bulk"]

    async def _letter_to(self, recipient: str, count: int) -> InboxLetter:
        letters = await self.service.inbox.wait_for(
            lambda letter: letter.recipient == recipient, _TIMEOUT_S, count=count
        )
        return letters[-1]

    async def _state_of(self, address: str) -> str:
        return str((await show_person(self.service.app, DEMO, address)).subscriptions["harvest"])


def check(condition: bool, what: str) -> None:
    """Raise DemoFailed unless the condition holds; `what` says what should be so."""
    if not condition:
        raise DemoFailed(f"the demo failed: it should be so that {what}")


def run_demo(*, stay: bool) -> int:
    """Run the demo, and with `stay` keep the service running until Ctrl-C; returns the exit code."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    with tempfile.TemporaryDirectory(prefix="mailer-demo-") as folder:
        asyncio.run(_run_steps(Path(folder), Console(soft_wrap=True), stay))
    return 0


def _open_in_browser(url: str) -> None:
    """Open a page where there is a screen to show it on; a browser for terminals would hide what the demo says."""
    if sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(url)


async def _run_steps(folder: Path, console: Console, stay: bool) -> None:
    async with run_demo_service(folder) as stage:
        story = DemoScenario(stage, console)
        steps = (
            story.open,
            story.bring_people,
            story.rosa_joins,
            story.first_campaign_is_sent,
            story.emma_leaves,
            story.second_campaign_skips_her,
            story.mallory_fails,
        )
        for number, step in enumerate(steps, 1):
            console.print(f"[green]✓[/] [dim]{number}/{len(steps)}[/] {await step()}")
        if not stay:
            console.print(
                "\nThat was all. In a terminal of yours it stays up, to look around in its inbox and its pages."
            )
            return
        console.print("\nLook around:")
        console.print(f"  {stage.inbox_url}/console  the console: Today, signed in as Ada, who owns this site")
        console.print(f"  {stage.inbox_url}/  the inbox: every letter as HTML, text and source")
        console.print(f"  {stage.base_url}/  the service's own pages; {stage.base_url}/join/harvest to join")
        console.print(f"  {stage.base_url}/archive/harvest  its letters as everybody reads them on the web")
        console.print(f"  smtp://{HOST}:{stage.ports.intake_port}  its SMTP server: write to harvest-join@{DOMAIN}")
        console.print("\nIt stays up until you press Ctrl-C.")
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stage.app.wakeups.closing.set)
        await asyncio.to_thread(_open_in_browser, f"{stage.inbox_url}/console")
        await stage.app.wakeups.closing.wait()
