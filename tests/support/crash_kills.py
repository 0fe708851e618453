"""A blast in which the service is killed again and again, or stopped, at moments that a seed decides."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mailer.actions.campaigns.report import status
from mailer.app import open_app
from mailer.domain.campaign import CampaignState
from mailer.settings.load import load_settings
from tests.support.child_process import PATIENCE_S, Running
from tests.support.crash_audit import Found, Taken, compare, read_log
from tests.support.crash_harness import House


class Moment(StrEnum):
    """When the service is killed."""

    BEFORE = "before"
    """On the dot: the relay has the letter and has not written it down."""
    AFTER = "after"
    """Written down, not answered."""
    ANSWERED = "answered"
    """Right after the 250."""
    RANDOM = "random"
    """Some milliseconds after some letter."""
    RECOVERY = "recovery"
    """Between the start of the process and its first letters."""
    LAUNCH = "launch"
    """While the audience is frozen."""
    STOP = "stop"
    """Not killed: SIGTERM, some milliseconds after some letter."""


_NOT_LAUNCHED = (CampaignState.SCHEDULED, CampaignState.LAUNCHING)
AT_THE_DOT = (Moment.BEFORE, Moment.AFTER, Moment.ANSWERED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Blow:
    """One kill or stop that is planned."""

    moment: Moment
    letters: int
    """How many letters the relay has taken by then, about; in a launch, for how many people it was launched."""
    pause_s: float
    """From there to the blow, where it is not at a dot; from the start, where it is in the recovery."""
    whom: int = 0
    """Which of the processes that send is struck."""


@dataclass(kw_only=True)
class Run:
    """What happened, and what the comparison found."""

    kills: dict[Moment, int] = field(default_factory=dict)
    opened_s: list[float] = field(default_factory=list)
    """From the start of the process to its doors' opening."""
    first_letter_s: list[float] = field(default_factory=list)
    """From the start of the process to the first letter it sent."""
    status: dict[str, Any] = field(default_factory=dict)
    found: Found | None = None

    @property
    def killed(self) -> int:
        return sum(number for moment, number in self.kills.items() if moment is not Moment.STOP)


def plan(
    people: int, moments: Sequence[Moment], chance: random.Random, first: int = 0, *, processes: int = 1
) -> list[Blow]:
    """These moments in this order, spread evenly over a blast, each anywhere in its share of it, at any process."""
    share = people / (len(moments) + 1)
    return [
        Blow(
            moment=moment,
            letters=first + max(1, int((number + chance.random()) * share)),
            pause_s=chance.uniform(0.3, 2.0) if moment is Moment.RECOVERY else chance.uniform(0, 0.02),
            whom=chance.randrange(processes),
        )
        for number, moment in enumerate(moments)
    ]


SERVE_ALONE = ("serve",)
SERVE_AND_WORKER = ("serve", "worker")
"""Processes that send beside one another, on one PostgreSQL."""


async def blast(
    house: House,
    people: Sequence[str],
    blows: Sequence[Blow],
    within_s: float = PATIENCE_S,
    commands: Sequence[str] = SERVE_ALONE,
) -> Run:
    """A new campaign under these blows, until it is sent and its processes are stopped; then the comparison.

    A blow strikes one of the `commands`' processes; the others go on sending, and the next one finds it at work again.
    """
    run, before = Run(), house.sink.log.stat().st_size
    company: dict[str, Running] = {}
    campaign_id = await house.calls_up()
    for blow in blows:
        logged = house.sink.log.stat().st_size
        process = await _strike(house, campaign_id, blow, company, commands)
        run.kills[blow.moment] = run.kills.get(blow.moment, 0) + 1
        _note(run, process, read_log(house.sink.log, logged), alone=not company)
    logged = house.sink.log.stat().st_size
    await _complete(house, company, commands)
    run.status = await house.until_sent(campaign_id, company["serve"], within_s)
    _note(run, company["serve"], read_log(house.sink.log, logged), alone=len(company) == 1)
    for process in company.values():
        await process.stops()
    run.found = compare(people, await house.report(campaign_id), read_log(house.sink.log, before))
    return run


async def _complete(house: House, company: dict[str, Running], commands: Sequence[str]) -> None:
    """Have each of these commands at work."""
    for command in commands:
        if command in company:
            assert not company[command].over, f"{command} ended by itself: {company[command].tail}"
        elif command == "serve":
            company[command], _ = await house.serves()
        else:
            company[command] = await house.start(command)
            await company[command].says("event=working")


async def _strike(
    house: House, campaign_id: int, blow: Blow, company: dict[str, Running], commands: Sequence[str]
) -> Running:
    """Start what is not at work, and end one of it; returns when that is gone, which then is not in the `company`."""
    if blow.moment is Moment.LAUNCH:
        assert not company, "a launch is struck before anything is sent"
        process = await house.start("serve")
        await freeze_while_launching(house, campaign_id, process, blow.letters)
        await process.dies()
        return process
    if blow.moment is Moment.RECOVERY:
        # Whoever was struck last is about to recover.
        process = await house.start(next(one for one in commands if one not in company))
        await asyncio.sleep(blow.pause_s)
        await process.dies()
        return process
    await _complete(house, company, commands)
    process = company.pop(commands[blow.whom])
    more = max(1, blow.letters - house.sink.letters)
    if blow.moment in AT_THE_DOT:
        await house.sink.obeys(f"after {more} kill {blow.moment} {process.pid}")
        await house.sink.tells("killed")
        await process.ends()
        return process
    await house.sink.took(more)
    await asyncio.sleep(blow.pause_s)
    await (process.stops() if blow.moment is Moment.STOP else process.dies())
    return process


async def freeze_while_launching(house: House, campaign_id: int, process: Running, people: int) -> bool:
    """Stop the service while a campaign is launched and has so many people; False where it was over before we looked.

    Looks without the half second that a command takes to start; and has let go of the ledger when it returns, so that
    whoever opens it after a kill finds it as the kill left it.
    """
    app = open_app(load_settings(house.settings))
    try:
        async with asyncio.timeout(PATIENCE_S):
            while (told := await status(app, campaign_id)).campaign.state in _NOT_LAUNCHED and told.audience < people:
                assert not process.over, f"it ended before it launched: {process.tail}"
                await asyncio.sleep(0)
        process.signal(signal.SIGSTOP)
        return told.campaign.state is CampaignState.LAUNCHING
    finally:
        await app.database.close()


def _note(run: Run, process: Running, taken: Sequence[Taken], *, alone: bool) -> None:
    """How soon it was back; where it is not alone, nobody can tell which letter was its first."""
    if process.opened_at is not None:
        run.opened_s.append(process.opened_at - process.started_at)
    first = next((letter.at for letter in taken if letter.at >= process.started_at), None)
    if first is not None and alone:
        run.first_letter_s.append(first - process.started_at)
