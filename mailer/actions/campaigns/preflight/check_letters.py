"""Checks each kind of letter that an audience would get, written and signed as it would leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from mailer.actions.campaigns.preflight.letter_tally import LetterKind, LetterTally
from mailer.app import App
from mailer.domain.letters.preflight import (
    PreflightResult,
    PreflightRule,
    PreflightSeverity,
    blocking,
    fine,
    warning,
)
from mailer.mail.compose.personalise import Recipient
from mailer.mail.dkim.signing import choose_signer, sign_letter, signer_for
from mailer.mail.preflight.check_html import find_web_links
from mailer.mail.preflight.check_letter import check_letter
from mailer.mail.preflight.html_elements import read_html
from mailer.mail.preflight.sample_letter import SampleLetter

_MOST_LOOKED_AT = 60
"""Kinds of letters that are looked at whole: a hundredth of a second each."""
_MOST_OF_A_RULE = 5
"""Different results of one rule that are named for an edition."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedLetters:
    """What was found in the letters, and some of them for checks by others."""

    results: tuple[PreflightResult, ...]
    samples: dict[str, SampleLetter]
    """The largest letter of each edition."""
    links: tuple[str, ...]
    """The web links of all editions that hold nothing of a reader."""

    @property
    def most_octets(self) -> int:
        """The size of the largest letter."""
        return max((len(one.letter.content) for one in self.samples.values()), default=0)


def check_letters(app: App, tally: LetterTally) -> CheckedLetters:
    """Check the kinds of letters with the most readers, and all that cannot be written. Takes a while: in a thread."""
    kinds = sorted(tally.kinds.values(), key=lambda one: -one.readers)
    found: dict[str, list[PreflightResult]] = {}
    samples: dict[str, SampleLetter] = {}
    links: dict[str, None] = {}
    for kind in kinds[:_MOST_LOOKED_AT]:
        for sample in _write_samples(app, kind):
            found.setdefault(kind.edition, []).extend(_check_sample(app, sample))
            links |= dict.fromkeys(_links_for_all(app, sample))
            if kind.edition not in samples or _size(sample) > _size(samples[kind.edition]):
                samples[kind.edition] = sample
    results = _join_editions({edition: list(_summarise(some)) for edition, some in found.items()})
    return CheckedLetters(
        results=(*_unwritable(tally), *results, *_count_letters(tally)), samples=samples, links=tuple(links)
    )


def _join_editions(by_edition: dict[str, list[PreflightResult]]) -> Iterator[PreflightResult]:
    """The results with their edition; one that all editions have is about the whole campaign, and stands once."""
    common = set.intersection(*map(set, by_edition.values())) if len(by_edition) > 1 else set()
    yield from dict.fromkeys(one for some in by_edition.values() for one in some if one in common)
    for edition, some in by_edition.items():
        yield from (replace(one, edition=edition) for one in some if one not in common)


def _write_samples(app: App, kind: LetterKind) -> Iterator[SampleLetter]:
    """The letter of the first reader, and that of the one with the longest values."""
    readers: list[Recipient] = [kind.first]
    if kind.longest.values != kind.first.values:
        readers.append(kind.longest)
    for reader in readers:
        letter = kind.compiled.write(reader)
        signer = choose_signer(app.signers, letter)
        signed = letter if signer is None else sign_letter(signer, letter, reader.dated_at)
        yield SampleLetter(signed, frozenset(value for value in reader.values.values() if value))


def _check_sample(app: App, sample: SampleLetter) -> tuple[PreflightResult, ...]:
    signer = signer_for(app.signers, app.site.domain)
    return check_letter(sample, site_url=app.site.url, signing_domain=signer.domain if signer else None)


def _links_for_all(app: App, sample: SampleLetter) -> list[str]:
    """Links without a reader's values: what is known of people is shown to nobody."""
    links = find_web_links(read_html(sample.html), app.site.url)
    return [url for url in links if sample.without_values(url) == url]


def _summarise(results: Iterable[PreflightResult]) -> Iterator[PreflightResult]:
    """Each result once, a few of each rule; what is in order only where nothing else was found, of the last letter."""
    by_rule: dict[PreflightRule, dict[PreflightResult, None]] = {}
    for one in results:
        by_rule.setdefault(one.rule, {})[one] = None
    for some in by_rule.values():
        faults = [one for one in some if one.severity is not PreflightSeverity.FINE]
        yield from faults[:_MOST_OF_A_RULE] if faults else [next(iter(some))]


def _unwritable(tally: LetterTally) -> Iterator[PreflightResult]:
    for key, one in tally.failures.items():
        number = tally.failed[key]
        others = f" (and {number - 1} others)" if number > 1 else ""
        result = blocking(
            PreflightRule.RECIPIENT,
            f"the letter for {one.address}{others} cannot be written: {one.reason}",
            "Correct the text, or what is known of them.",
        )
        yield replace(result, edition=one.edition, line=one.line)


def _count_letters(tally: LetterTally) -> Iterator[PreflightResult]:
    written = tally.readers - tally.failed.total()
    if tally.overflow or len(tally.kinds) > _MOST_LOOKED_AT:
        message = f"there are more than {_MOST_LOOKED_AT} kinds of letters; those with the most readers were looked at"
        cure = "Each outcome of the conditions is a letter of its own: fewer conditions are sent faster."
        yield warning(PreflightRule.LETTERS, message, cure)
    if tally.readers:
        kinds = "1 kind" if len(tally.kinds) == 1 else f"{len(tally.kinds)} kinds"
        yield fine(PreflightRule.LETTERS, f"letters that can be written: {written:,} of {tally.readers:,}, {kinds}")


def _size(sample: SampleLetter) -> int:
    return len(sample.letter.content)
