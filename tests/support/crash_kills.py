"""A blast in which the service is killed again and again, or stopped, at moments that a seed decides."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mailer.actions.campaigns.report import campaign_status
from mailer.bootstrap import open_app
from mailer.domain.campaign import CampaignState
from mailer.settings.load import load_settings
from tests.support.app_helpers import ADMIN
from tests.support.child_process import PATIENCE_S, ChildProcess
from tests.support.crash_audit import AcceptedLetter, AuditResult, audit_letters, read_log
from tests.support.crash_harness import Installation


class KillMoment(StrEnum):
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
AT_THE_DOT = (KillMoment.BEFORE, KillMoment.AFTER, KillMoment.ANSWERED)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedKill:
    """One kill or stop that is planned."""

    moment: KillMoment
    letters: int
    """How many letters the relay has taken by then, about; in a launch, for how many people it was launched."""
    pause_s: float
    """From there to the blow, where it is not at a dot; from the start, where it is in the recovery."""
    process_index: int = 0
    """Which of the processes that send is struck."""


@dataclass(kw_only=True)
class CrashRun:
    """What happened, and what the comparison found."""

    kills: dict[KillMoment, int] = field(default_factory=dict)
    startup_s: list[float] = field(default_factory=list)
    """From the start of the process to its doors' opening."""
    first_letter_s: list[float] = field(default_factory=list)
    """From the start of the process to the first letter it sent."""
    status: dict[str, Any] = field(default_factory=dict)
    audit: AuditResult | None = None

    @property
    def killed(self) -> int:
        return sum(number for moment, number in self.kills.items() if moment is not KillMoment.STOP)


def plan_kills(
    people: int, moments: Sequence[KillMoment], chance: random.Random, first: int = 0, *, processes: int = 1
) -> list[PlannedKill]:
    """These moments in this order, spread evenly over a blast, each anywhere in its share of it, at any process."""
    share = people / (len(moments) + 1)
    return [
        PlannedKill(
            moment=moment,
            letters=first + max(1, int((number + chance.random()) * share)),
            pause_s=chance.uniform(0.3, 2.0) if moment is KillMoment.RECOVERY else chance.uniform(0, 0.02),
            process_index=chance.randrange(processes),
        )
        for number, moment in enumerate(moments)
    ]


SERVE_ALONE = ("serve",)
SERVE_AND_WORKER = ("serve", "worker")
"""Processes that send beside one another, on one PostgreSQL."""


async def run_blast(
    house: Installation,
    people: Sequence[str],
    kills: Sequence[PlannedKill],
    within_s: float = PATIENCE_S,
    commands: Sequence[str] = SERVE_ALONE,
) -> CrashRun:
    """A new campaign under these blows, until it is sent and its processes are stopped; then the comparison.

    A blow strikes one of the `commands`' processes; the others go on sending, and the next one finds it at work again.
    """
    run, before = CrashRun(), house.sink.log.stat().st_size
    company: dict[str, ChildProcess] = {}
    campaign_id = await house.send_campaign()
    for blow in kills:
        logged = house.sink.log.stat().st_size
        process = await _kill_one(house, campaign_id, blow, company, commands)
        run.kills[blow.moment] = run.kills.get(blow.moment, 0) + 1
        _record_times(run, process, read_log(house.sink.log, logged), alone=not company)
    logged = house.sink.log.stat().st_size
    await _start_missing(house, company, commands)
    run.status = await house.wait_sent(campaign_id, company["serve"], within_s)
    _record_times(run, company["serve"], read_log(house.sink.log, logged), alone=len(company) == 1)
    for process in company.values():
        await process.terminate()
    run.audit = audit_letters(people, await house.report(campaign_id), read_log(house.sink.log, before))
    return run


async def _start_missing(house: Installation, processes: dict[str, ChildProcess], commands: Sequence[str]) -> None:
    """Have each of these commands at work."""
    for command in commands:
        if command in processes:
            assert not processes[command].has_ended, f"{command} ended by itself: {processes[command].last_lines}"
        elif command == "serve":
            processes[command], _ = await house.start_serving()
        else:
            processes[command] = await house.start(command)
            await processes[command].wait_for_line("started worker")


async def _kill_one(
    house: Installation,
    campaign_id: int,
    kill: PlannedKill,
    processes: dict[str, ChildProcess],
    commands: Sequence[str],
) -> ChildProcess:
    """Start what is not at work, and end one of it; returns when that is gone, which then is not in the `company`."""
    if kill.moment is KillMoment.LAUNCH:
        assert not processes, "a launch is struck before anything is sent"
        process = await house.start("serve")
        await freeze_while_launching(house, campaign_id, process, kill.letters)
        await process.kill()
        return process
    if kill.moment is KillMoment.RECOVERY:
        # Whoever was struck last is about to recover.
        process = await house.start(next(one for one in commands if one not in processes))
        await asyncio.sleep(kill.pause_s)
        await process.kill()
        return process
    await _start_missing(house, processes, commands)
    process = processes.pop(commands[kill.process_index])
    more = max(1, kill.letters - house.sink.letters)
    if kill.moment in AT_THE_DOT:
        await house.sink.give_order(f"after {more} kill {kill.moment} {process.pid}")
        await house.sink.wait_printed("killed")
        await process.wait()
        return process
    await house.sink.wait_taken(more)
    await asyncio.sleep(kill.pause_s)
    await (process.terminate() if kill.moment is KillMoment.STOP else process.kill())
    return process


async def freeze_while_launching(house: Installation, campaign_id: int, process: ChildProcess, people: int) -> bool:
    """Stop the service while a campaign is launched and has so many people; False where it was over before we looked.

    Looks without the half second that a command takes to start; and has let go of the ledger when it returns, so that
    whoever opens it after a kill finds it as the kill left it.
    """
    app = open_app(load_settings(house.settings))
    try:
        async with asyncio.timeout(PATIENCE_S):
            while (
                progress := await campaign_status(app, ADMIN, campaign_id)
            ).campaign.state in _NOT_LAUNCHED and progress.audience < people:
                assert not process.has_ended, f"it ended before it launched: {process.last_lines}"
                await asyncio.sleep(0)
        process.signal(signal.SIGSTOP)
        return progress.campaign.state is CampaignState.LAUNCHING
    finally:
        await app.database.close()


def _record_times(run: CrashRun, process: ChildProcess, taken: Sequence[AcceptedLetter], *, alone: bool) -> None:
    """How soon it was back; where it is not alone, nobody can tell which letter was its first."""
    if process.opened_at is not None:
        run.startup_s.append(process.opened_at - process.started_at)
    first = next((letter.at for letter in taken if letter.at >= process.started_at), None)
    if first is not None and alone:
        run.first_letter_s.append(first - process.started_at)
