"""Asks others before a campaign leaves: the DNS, relays, spam filters, and the servers that its links lead to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from mailer.actions.delivery.check_published import check_published, is_published
from mailer.app import App
from mailer.domain.health_check import HealthCheck
from mailer.domain.letters.preflight import (
    PreflightResult,
    PreflightRule,
    PreflightSeverity,
    blocking,
    fine,
    from_health_check,
    warning,
)
from mailer.errors import FetchFailed
from mailer.mail.preflight.sample_letter import SampleLetter
from mailer.network.link_check import LinkClient, LinkResult, LinkState
from mailer.network.spam_check import SpamVerdict, ask_rspamd, ask_spamassassin
from mailer.relay.check_relay import check_relay

_DNS_TIMEOUT_S = 20
_MOST_LINKS = 100
_GRAVE_POINTS = 0.5
"""A rule of a spam filter with more points is named."""
_BLOCKING, _WARNING = PreflightSeverity.BLOCKING, PreflightSeverity.WARNING
_RULES = {
    "dkim": (PreflightRule.DKIM, _BLOCKING),
    "spf": (PreflightRule.SPF, _BLOCKING),
    "alignment": (PreflightRule.DMARC, _BLOCKING),
    "dmarc": (PreflightRule.DMARC, _WARNING),
    "mx": (PreflightRule.MX, _WARNING),
    "ptr": (PreflightRule.SENDER, _WARNING),
    "sender": (PreflightRule.SENDER, _WARNING),
    "relay": (PreflightRule.RELAY, _BLOCKING),
}
"""By the first word of a check of `mailer doctor`: the rule, and how grave it can be for a launch."""


async def check_dns(app: App) -> tuple[list[PreflightResult], list[str]]:
    """What receivers look up, and what was not looked at."""
    if not is_published(app):
        why = "no name server is known" if app.dns is None else "[service] in settings.toml holds samples"
        return [], [f"DKIM, SPF, DMARC, MX and PTR in the DNS: {why}"]
    try:
        async with asyncio.timeout(_DNS_TIMEOUT_S):
            return results_of_checks(await check_published(app)), []
    except TimeoutError:
        return [], [f"DKIM, SPF, DMARC, MX and PTR: the DNS did not answer within {_DNS_TIMEOUT_S} seconds"]


def results_of_checks(checks: Sequence[HealthCheck]) -> list[PreflightResult]:
    """The results for checks of `mailer doctor`; others than those of _RULES are left out."""
    found = ((check, _RULES.get(check.check.partition(" ")[0])) for check in checks)
    return [from_health_check(check, *how) for check, how in found if how is not None]


async def check_relays(app: App, most_octets: int) -> list[PreflightResult]:
    """Whether each relay answers, takes our login and letters of this size; nothing is sent."""
    return results_of_checks(await asyncio.gather(*(check_relay(one, most_octets) for one in app.relays)))


async def check_spam(app: App, samples: Mapping[str, SampleLetter]) -> tuple[list[PreflightResult], list[str]]:
    """What the spam filters of [spam_check] say of a letter of each edition, and what was not looked at."""
    table = app.spam_check
    if not table.spamassassin and not table.rspamd:
        return [], ["a spam filter's score: [spam_check] in settings.toml names none"]
    results: list[PreflightResult] = []
    for edition, sample in samples.items():
        asked = []
        if table.spamassassin:
            host, _, port = table.spamassassin.rpartition(":")
            asked.append(ask_spamassassin(host.strip("[]"), int(port), sample.letter))
        if table.rspamd:
            asked.append(ask_rspamd(table.rspamd, sample.letter))
        for answer in await asyncio.gather(*asked, return_exceptions=True):
            results += (replace(one, edition=edition) for one in _results_of_verdict(answer))
    return results, []


def _results_of_verdict(answer: SpamVerdict | BaseException) -> Iterator[PreflightResult]:
    rule = PreflightRule.SPAM
    if isinstance(answer, FetchFailed):
        yield warning(rule, str(answer), "See [spam_check] in settings.toml; is it running?")
        return
    if isinstance(answer, BaseException):
        raise answer
    grave = ", ".join(f"{one.name} {one.points:g}" for one in answer.rules if one.points > _GRAVE_POINTS)
    message = f"{answer.filter} gives it {answer.score:g} of the {answer.limit:g} points of spam"
    if answer.is_spam:
        yield blocking(rule, f"{message}: {grave}", "Change what these rules name.")
    elif grave:
        yield warning(rule, f"{message}: {grave}", "Change what these rules name; other filters may know them, too.")
    else:
        yield fine(rule, message)


async def check_links(links: Sequence[str], client: LinkClient) -> list[PreflightResult]:
    """Whether the links of the letters answer."""
    results = [_result_of_link(one) for one in await client.check_many(links[:_MOST_LINKS])]
    if len(links) > _MOST_LINKS:
        results.append(warning(PreflightRule.LINK, f"{len(links)} links; the first {_MOST_LINKS} were asked"))
    return results


def _result_of_link(one: LinkResult) -> PreflightResult:
    message = f"{one.url[:200]} {one.message}"
    match one.state:
        case LinkState.GONE:
            return blocking(PreflightRule.LINK, message, "Correct the link.")
        case LinkState.UNCLEAR:
            return warning(PreflightRule.LINK, message, "Open it yourself.")
        case LinkState.MOVED | LinkState.ANSWERS:
            return fine(PreflightRule.LINK, message)
