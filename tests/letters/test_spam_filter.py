"""What SpamAssassin says of every template in every language and kind, as a stranger's server would get it."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from mailer.mail.message.letter import Letter
from mailer.network.spam_check import SpamRule, ask_spamassassin
from tests.letters.sample_letters import KINDS, TEMPLATES
from tests.support.real_spamd import running_spamd

MOST_POINTS = 0.5
"""Of all rules together, and so of each; SpamAssassin takes 5 for spam."""
_OF_THE_WAY = ("ALL_TRUSTED", "DKIM", "SPF")
"""Beginnings of the names of rules about the way that a letter took, which no template changes."""


def as_received(letter: Letter, at: datetime) -> Letter:
    """The letter with what a server writes on top that got it from outside."""
    trace = (
        f"Return-Path: <{letter.return_path}>\r\n"
        "Received: from mail.lists.example.org (mail.lists.example.org [93.184.216.34])\r\n"
        f" by mx.example.net (Postfix) with ESMTPS id 4Xk2 for <{letter.recipient}>;\r\n"
        f" {at:%a, %d %b %Y %H:%M:%S} +0000\r\n"
    )
    return replace(letter, content=trace.encode() + letter.content)


async def weigh(letters: dict[str, Letter], port: int) -> dict[str, list[SpamRule]]:
    """The rules that apply to each letter but for those of the way."""
    limit = asyncio.Semaphore(2)

    async def ask(name: str) -> tuple[str, list[SpamRule]]:
        async with limit:
            verdict = await ask_spamassassin("127.0.0.1", port, letters[name])
        return name, [one for one in verdict.rules if not one.name.startswith(_OF_THE_WAY)]

    return dict(await asyncio.gather(*map(ask, letters)))


def against_it(rules: list[SpamRule]) -> list[SpamRule]:
    """Those that speak for spam; what speaks for a letter makes nothing good."""
    return [rule for rule in rules if rule.points > 0]


@pytest.mark.slow
async def test_no_template_in_any_language_looks_like_spam(sign: Callable[..., Letter], tmp_path: Path) -> None:
    now = datetime.now(UTC)
    letters = {
        "-".join(sample): as_received(sign(*sample, at=now), now)
        for sample in product(TEMPLATES.letter_names, TEMPLATES.languages, KINDS)
    }
    async with running_spamd(tmp_path) as port:
        found = await weigh(letters, port)

    rules = Counter(f"{rule.name} {rule.points}" for of_one in found.values() for rule in of_one)
    sys.stdout.write(f"{len(found)} letters, and how many of them each rule applies to: {dict(rules)}\n")
    assert len(found) == 200
    against = {name: against_it(of_one) for name, of_one in found.items()}
    assert {name: bad for name, bad in against.items() if sum(rule.points for rule in bad) > MOST_POINTS} == {}


@pytest.mark.slow
async def test_a_letter_that_shouts_is_told_from_ours(sign: Callable[..., Letter], tmp_path: Path) -> None:
    now = datetime.now(UTC)
    letter = sign("appeal", "en", "short", at=now)
    shouting = replace(letter, content=letter.content.replace(b"Good evening,", b"Dear Friend,"))
    async with running_spamd(tmp_path) as port:
        found = await weigh({"ours": as_received(letter, now), "shouting": as_received(shouting, now)}, port)

    assert against_it(found["ours"]) == []
    assert "DEAR_FRIEND" in {rule.name for rule in against_it(found["shouting"])}
