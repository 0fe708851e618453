"""Dry run of a letter with dynamic content: it is rendered for sample readers, so that mistakes show at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice

from mailer.errors import CampaignFileRefused, LetterRenderFailed
from mailer.mail.compose.compile_letter import CompiledLetter, PlainLetter
from mailer.mail.compose.dynamic_content import DynamicText

MOST_TRIED = 60
"""Sample readers; composing a variant for one takes a few hundredths of a second."""
_ODD_VALUES = ("Rosa", "7", "a, b;c", "<b>&\"'*_`[x](y) {{ 7*7 }} {% if %}", "word, " * 40, "Müjgân İ\u202e\n\x00")


def dry_run_letter(letter: CompiledLetter) -> None:
    """Raise CampaignFileRefused, with the line, if rendering fails for one of the sample readers.

    Their values are all missing, all the same odd value, all a constant of the text itself, or all missing but one.
    """
    if isinstance(letter, PlainLetter):
        return
    texts = [one for one in letter.dynamic_texts.values() if isinstance(one, DynamicText)]
    for values in sample_values(letter.names, texts):
        try:
            letter.choose_variant(values)
        except LetterRenderFailed as error:
            raise CampaignFileRefused(f"{error.reason} (for {_describe_reader(values)})", error.line) from None


def sample_values(names: Collection[str], texts: Iterable[DynamicText]) -> Iterator[dict[str, str]]:
    """The values of sample readers for texts that use these names, MOST_TRIED at most."""
    return islice(_sample_values(sorted(names), texts), MOST_TRIED)


def _sample_values(names: Sequence[str], texts: Iterable[DynamicText]) -> Iterator[dict[str, str]]:
    yield {}
    yield from (dict.fromkeys(names, value) for value in _ODD_VALUES)
    for text in texts:
        yield from (dict.fromkeys(names, value) for value in _compared_values(text))
    yield from ({name: "Rosa"} for name in names)


def _compared_values(text: DynamicText) -> Iterator[str]:
    for value in text.constants:
        yield str(value)
        if not isinstance(value, str):
            yield str(value + 1)


def _describe_reader(values: dict[str, str]) -> str:
    known = [f"{name} {value[:20]!r}" for name, value in values.items()]
    return f"a reader with {', '.join(known[:4])}" if known else "a reader of whom nothing is known"
