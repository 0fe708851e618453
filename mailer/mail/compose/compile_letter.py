"""A campaign's text made ready once, so that writing it to one more person costs next to nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from mailer.domain.site import ListIdentity
from mailer.errors import CampaignFileRefused, LetterRenderFailed
from mailer.mail.compose.campaign_file import CampaignFile, mergeable_texts, replace_texts
from mailer.mail.compose.compose_letter import ComposedLetter, compose_letter, compose_with_placeholders
from mailer.mail.compose.dynamic_content import DynamicText, parse_dynamic_text
from mailer.mail.compose.merge_field import MergeField, Placeholders, has_dynamic_content
from mailer.mail.compose.personalise import Recipient, encode_to_address, personal_subject, personalise
from mailer.mail.compose.sandbox import Evaluation
from mailer.mail.compose.templates import Templates
from mailer.mail.message.letter import Letter

_CACHED_VARIANTS = 128
"""Variants of one text: enough for seven conditions that are independent of each other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlainLetter:
    """A text that has holes at most, and is spliced."""

    composed: ComposedLetter
    names: frozenset[str]
    """The values of a person it uses."""
    needs_check: bool = False
    """Whether values of a person may keep the letter from being written."""

    def write(self, recipient: Recipient) -> Letter:
        """This person's letter; AddressRefused for what cannot stand in To."""
        return personalise(self.composed, recipient)

    def check(self, recipient: Recipient) -> None:
        """Raise what `write` would raise."""
        encode_to_address(recipient)


@dataclass(frozen=True, kw_only=True, slots=True)
class DynamicLetter:
    """A text with conditions, loops or expressions on the person.

    These choose a variant, in which marks stand for all that was evaluated; a variant is composed once, kept, and
    then spliced like any other text. So two outcomes of one condition are two letters for a million readers.
    """

    campaign_file: CampaignFile
    dynamic_texts: Mapping[str, DynamicText | str]
    """By the text as it was written, since title and preheader often repeat another; without braces, as it is."""
    compose_variant: Callable[[tuple[str, ...], int], ComposedLetter]
    """Composed of the evaluated texts in the order of `scripts`, and the number of words their marks stand for."""
    placeholders: Placeholders
    needs_check: bool = True

    @property
    def names(self) -> frozenset[str]:
        """The values of a person it uses."""
        return frozenset[str]().union(
            *(one.names for one in self.dynamic_texts.values() if isinstance(one, DynamicText))
        )

    def write(self, recipient: Recipient) -> Letter:
        """This person's letter; LetterUnwritable says why there is none, AddressRefused as for any letter."""
        composed, words = self.choose_variant(recipient.values)
        return personalise(composed, recipient, words)

    def check(self, recipient: Recipient) -> None:
        """Raise what `write` would raise; the letter itself is not made."""
        encode_to_address(recipient)
        self.choose_variant(recipient.values)

    def choose_variant(self, values: Mapping[str, str]) -> tuple[ComposedLetter, list[str]]:
        """The variant for a person of these values, and the words for its holes; LetterUnwritable."""
        evaluation = Evaluation(self.placeholders)
        evaluated = tuple(
            one.evaluate(values, evaluation) if isinstance(one, DynamicText) else one
            for one in self.dynamic_texts.values()
        )
        try:
            composed = self.compose_variant(evaluated, len(evaluation.values))
        except CampaignFileRefused as refusal:
            raise LetterRenderFailed(refusal.reason, self._line_in_file(refusal.line, values)) from None
        words = [evaluation.values[int(hole.name)] for hole in composed.merge_fields]
        if composed.subject and not personal_subject(composed, words).strip():
            raise LetterRenderFailed("the subject would be empty", self.campaign_file.lines["subject"])
        return composed, words

    def _line_in_file(self, line: int | None, values: Mapping[str, str]) -> int | None:
        """The line in the file for one in the evaluated text."""
        body = self.dynamic_texts[self.campaign_file.body]
        if line is None or line < self.campaign_file.body_line or not isinstance(body, DynamicText):
            return line
        return body.source_line(values, Evaluation(self.placeholders), line - self.campaign_file.body_line)


CompiledLetter = PlainLetter | DynamicLetter


def is_dynamic_campaign_file(campaign_file: CampaignFile) -> bool:
    """Whether values of a person may keep a letter of this text from being written."""
    return any(map(has_dynamic_content, mergeable_texts(campaign_file).values()))


def compile_letter(
    campaign_file: CampaignFile,
    list_identity: ListIdentity,
    templates: Templates,
    reader_language: str,
    campaign_id: int,
) -> CompiledLetter:
    """The letter, whose fixed words are in `reader_language`, for any recipient; ManuscriptRefused as by `compose`.

    What a scripted one can be refused for shows when it is tried: see `rehearse`.
    """
    if is_dynamic_campaign_file(campaign_file):
        return compile_dynamic_letter(campaign_file, list_identity, templates, reader_language, campaign_id)
    composed = compose_letter(campaign_file, list_identity, templates, reader_language, campaign_id)
    return PlainLetter(composed=composed, names=campaign_file.merge_field_names)


def compile_dynamic_letter(
    campaign_file: CampaignFile,
    list_identity: ListIdentity,
    templates: Templates,
    reader_language: str,
    campaign_id: int,
) -> DynamicLetter:
    """The same for a text that is evaluated whether it needs it or not: it gives the same letters."""
    placeholders = Placeholders.for_text(repr(campaign_file), ())
    sources = mergeable_texts(campaign_file)
    dynamic_texts: dict[str, DynamicText | str] = {}
    for name, text in sources.items():
        if text not in dynamic_texts:
            dynamic_texts[text] = parse_dynamic_text(text, campaign_file.lines[name]) if "{" in text else text

    def variant(evaluated: tuple[str, ...], words: int) -> ComposedLetter:
        of_words = Placeholders.for_text(
            repr(campaign_file), tuple(MergeField(str(place), "") for place in range(words))
        )
        by_source = dict(zip(dynamic_texts, evaluated, strict=True))
        chosen = _apply_evaluated_texts(campaign_file, {name: by_source[text] for name, text in sources.items()})
        return compose_with_placeholders(chosen, of_words, list_identity, templates, reader_language, campaign_id)

    return DynamicLetter(
        campaign_file=campaign_file,
        dynamic_texts=dynamic_texts,
        compose_variant=lru_cache(maxsize=_CACHED_VARIANTS)(variant),
        placeholders=placeholders,
    )


def _apply_evaluated_texts(campaign_file: CampaignFile, evaluated: dict[str, str]) -> CampaignFile:
    """With its evaluated texts as the front matter would have them; ManuscriptRefused where a letter needs one."""
    texts = {name: text if name == "body" else text.strip() for name, text in evaluated.items()}
    for name in ("subject", "body"):
        if not texts[name].strip():
            raise CampaignFileRefused(f"the {name} would be empty", campaign_file.lines[name])
    return replace_texts(campaign_file, texts | {"title": texts["title"] or texts["subject"]})
