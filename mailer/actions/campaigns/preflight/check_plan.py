"""Checks what a campaign is going to be: its texts and editions, its readers, and the end of its letters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mailer.actions.campaigns.checked_drafts import CheckedDrafts
from mailer.actions.campaigns.draft_view import edition_otherwise, missing_editions, view_editions
from mailer.domain.audience_count import AudienceCount
from mailer.domain.campaign import Campaign
from mailer.domain.letters.edition_choice import count_by_edition
from mailer.domain.letters.preflight import PreflightResult, PreflightRule, blocking, fine, warning
from mailer.domain.mailing_list import MailingList
from mailer.mail.compose.problem import ProblemSeverity, Rule

_OF_EDITION = (Rule.STALE, Rule.UNTRANSLATED)
_UNUSUAL_CHANGE, _LEAST_CHANGE = 0.3, 10
"""Of the audience since the last campaign: a share, and a number of people."""


def check_texts(checked: CheckedDrafts) -> Iterator[PreflightResult]:
    """The problems of all texts that are sent; `fine` for an edition without any."""
    campaign = checked.loaded.campaign
    for language, problems in checked.problems.items():
        if not campaign.sends(language):
            continue
        for one in problems:
            rule = PreflightRule.EDITION if one.rule in _OF_EDITION else PreflightRule.DOUBT
            is_error = one.severity is ProblemSeverity.ERROR
            result = blocking(PreflightRule.TEXT, one.message) if is_error else warning(rule, one.message)
            yield replace(result, edition=language, line=one.line, key=one.key)
        if not problems:
            yield replace(fine(PreflightRule.TEXT, "nothing is wrong with the text"), edition=language)


def check_editions(checked: CheckedDrafts, audience: AudienceCount) -> Iterator[PreflightResult]:
    """Languages of readers that have no edition, and how many get each."""
    rule, views = PreflightRule.EDITION, view_editions(checked, audience.languages, ())
    otherwise = edition_otherwise(checked.loaded)
    for language, number in missing_editions(views).items():
        message = f"readers of {language} get {otherwise}, as there is no such edition: {number:,}"
        yield warning(rule, message, f"Write one in {language}, if somebody can.")
    if len(views) > 1:
        yield fine(rule, f"editions: {', '.join(f'{one.language} ({one.readers:,})' for one in views)}")


def check_audience(checked: CheckedDrafts, audience: AudienceCount, last: Campaign | None) -> Iterator[PreflightResult]:
    """Whether anybody gets it, and about as many as last time."""
    rule, loaded = PreflightRule.AUDIENCE, checked.loaded
    of_list = count_by_edition(audience.languages, loaded.languages, loaded.mailing_list.language)
    now = sum(one.readers for one in of_list if loaded.campaign.sends(one.language))
    if now == 0:
        why = "the list has no confirmed reader" if not audience.reached else "none of these readers is left"
        yield blocking(rule, f"nobody would get it: {why}", "Let people join first, or choose other editions.")
        return
    if last is not None and last.audience and _is_whole(loaded.campaign) and _is_whole(last):
        change = (now - last.audience) / last.audience
        if abs(change) > _UNUSUAL_CHANGE and abs(now - last.audience) >= _LEAST_CHANGE:
            than = "fewer" if change < 0 else "more"
            message = (
                f"{now:,} people would get it, {abs(change):.0%} {than} than campaign {last.id} ({last.audience:,})"
            )
            yield warning(rule, message, "Look whether an import or a wave of bounces explains it.")
            return
    yield fine(rule, f"people who would get it: {now:,}")


def _is_whole(campaign: Campaign) -> bool:
    """Whether it goes to a whole list."""
    return campaign.languages is None and campaign.not_mailed_by is None


def check_footer(mailing_list: MailingList) -> Iterator[PreflightResult]:
    """Whether letters say who sends them, as the law of many countries asks."""
    if mailing_list.postal_address is None:
        cure = f'mailer list set {mailing_list.name} --postal-address "…"'
        yield warning(PreflightRule.FOOTER, "the letters have no postal address, which many countries require", cure)
    else:
        why = "the list's own reason" if mailing_list.reason else "that they subscribed"
        yield fine(PreflightRule.FOOTER, f"the letters name the postal address, and why readers get them: {why}")
