"""A campaign file compiled once, so that each recipient's letter is only spliced together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from mailer.domain.site import ListIdentity
from mailer.errors import CampaignFileRefused, LetterRenderFailed
from mailer.mail.compose.campaign_file import CampaignFile, mergeable_texts, replace_texts
from mailer.mail.compose.compose_letter import ComposedLetter, compose_letter, compose_with_placeholders
from mailer.mail.compose.dynamic_content import DynamicText, parse_dynamic_text
from mailer.mail.compose.letter_resources import NO_RESOURCES, LetterResources
from mailer.mail.compose.merge_field import MergeField, Placeholders, has_dynamic_content
from mailer.mail.compose.personalise import Recipient, encode_to_address, personal_subject, personalise
from mailer.mail.compose.sandbox import Evaluation
from mailer.mail.compose.templates import Templates
from mailer.mail.message.letter import Letter

_CACHED_VARIANTS = 128
"""Variants of one text that are kept: enough for seven independent conditions."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlainLetter:
    """A letter with merge fields at most, without dynamic content."""

    composed: ComposedLetter
    names: frozenset[str]
    """The names of the recipient's values that it uses."""
    needs_check: bool = False
    """Whether a recipient's values can make rendering fail."""

    def write(self, recipient: Recipient) -> Letter:
        """This recipient's letter. Raises AddressRefused for an address that cannot stand in To."""
        return personalise(self.composed, recipient)

    def check(self, recipient: Recipient) -> None:
        """Raise what `write` would raise."""
        encode_to_address(recipient)


@dataclass(frozen=True, kw_only=True, slots=True)
class DynamicLetter:
    """A letter with conditions, loops or expressions over the recipient's values.

    Evaluating them chooses a variant, in which placeholders stand for all values. Each variant is composed once,
    cached, and then spliced like any other letter: a condition with two outcomes composes two letters for a million
    recipients.
    """

    campaign_file: CampaignFile
    dynamic_texts: Mapping[str, DynamicText | str]
    """Compiled texts by source, since title and preheader often repeat another; a text without braces is kept as is."""
    compose_variant: Callable[[tuple[str, ...], int], ComposedLetter]
    """Composes a variant from the evaluated texts, in the order of `dynamic_texts`, and the number of placeholders."""
    placeholders: Placeholders
    needs_check: bool = True

    @property
    def names(self) -> frozenset[str]:
        """The names of the recipient's values that it uses."""
        return frozenset[str]().union(
            *(one.names for one in self.dynamic_texts.values() if isinstance(one, DynamicText))
        )

    def write(self, recipient: Recipient) -> Letter:
        """This recipient's letter. Raises LetterRenderFailed, which says why there is none, and AddressRefused."""
        composed, merge_values = self.choose_variant(recipient.values)
        return personalise(composed, recipient, merge_values)

    def check(self, recipient: Recipient) -> None:
        """Raise what `write` would raise, without writing the letter."""
        encode_to_address(recipient)
        self.choose_variant(recipient.values)

    def choose_variant(self, values: Mapping[str, str]) -> tuple[ComposedLetter, list[str]]:
        """The variant for a recipient with these values, and the values for its merge fields.

        Raises LetterRenderFailed if there is none.
        """
        evaluation = Evaluation(self.placeholders, self.campaign_file.language)
        evaluated = tuple(
            one.evaluate(values, evaluation) if isinstance(one, DynamicText) else one
            for one in self.dynamic_texts.values()
        )
        try:
            composed = self.compose_variant(evaluated, len(evaluation.values))
        except CampaignFileRefused as refusal:
            raise LetterRenderFailed(refusal.reason, self._line_in_file(refusal.line, values)) from None
        merge_values = [evaluation.values[int(merge_field.name)] for merge_field in composed.merge_fields]
        if composed.subject and not personal_subject(composed, merge_values).strip():
            raise LetterRenderFailed("the subject would be empty", self.campaign_file.lines["subject"])
        return composed, merge_values

    def _line_in_file(self, line: int | None, values: Mapping[str, str]) -> int | None:
        """The line of the file for a line of the evaluated text."""
        body = self.dynamic_texts[self.campaign_file.body]
        if line is None or line < self.campaign_file.body_line or not isinstance(body, DynamicText):
            return line
        return body.source_line(
            values, Evaluation(self.placeholders, self.campaign_file.language), line - self.campaign_file.body_line
        )


CompiledLetter = PlainLetter | DynamicLetter


def is_dynamic_campaign_file(campaign_file: CampaignFile) -> bool:
    """Whether any text has dynamic content, so that a recipient's values can make rendering fail."""
    return any(map(has_dynamic_content, mergeable_texts(campaign_file).values()))


def compile_letter(
    campaign_file: CampaignFile,
    list_identity: ListIdentity,
    templates: Templates,
    reader_language: str,
    campaign_id: int,
    resources: LetterResources = NO_RESOURCES,
) -> CompiledLetter:
    """The letter for any recipient, with the templates' words in `reader_language`.

    Raises CampaignFileRefused as `compose_letter` does. Mistakes in dynamic content may show only when it is
    evaluated: see `dry_run_letter`.
    """
    if is_dynamic_campaign_file(campaign_file):
        return compile_dynamic_letter(campaign_file, list_identity, templates, reader_language, campaign_id, resources)
    composed = compose_letter(campaign_file, list_identity, templates, reader_language, campaign_id, resources)
    return PlainLetter(composed=composed, names=campaign_file.merge_field_names)


def compile_dynamic_letter(
    campaign_file: CampaignFile,
    list_identity: ListIdentity,
    templates: Templates,
    reader_language: str,
    campaign_id: int,
    resources: LetterResources = NO_RESOURCES,
) -> DynamicLetter:
    """The letter with each text evaluated, whether it has dynamic content or not; the results are the same."""
    placeholders = Placeholders.for_text(repr(campaign_file), ())
    sources, segments = mergeable_texts(campaign_file), list_identity.mailing_list.segments
    dynamic_texts: dict[str, DynamicText | str] = {}
    for name, text in sources.items():
        if text not in dynamic_texts:
            dynamic_texts[text] = parse_dynamic_text(text, campaign_file.lines[name], segments) if "{" in text else text

    def compose_variant(evaluated: tuple[str, ...], count: int) -> ComposedLetter:
        variant_placeholders = Placeholders.for_text(
            repr(campaign_file), tuple(MergeField(str(index), "") for index in range(count))
        )
        by_source = dict(zip(dynamic_texts, evaluated, strict=True))
        chosen = _apply_evaluated_texts(campaign_file, {name: by_source[text] for name, text in sources.items()})
        return compose_with_placeholders(
            chosen, variant_placeholders, list_identity, templates, reader_language, campaign_id, resources
        )

    return DynamicLetter(
        campaign_file=campaign_file,
        dynamic_texts=dynamic_texts,
        compose_variant=lru_cache(maxsize=_CACHED_VARIANTS)(compose_variant),
        placeholders=placeholders,
    )


def _apply_evaluated_texts(campaign_file: CampaignFile, evaluated: dict[str, str]) -> CampaignFile:
    """The campaign file with its evaluated texts. Raises CampaignFileRefused if the subject or the body is empty."""
    texts = {name: text if name == "body" else text.strip() for name, text in evaluated.items()}
    for name in ("subject", "body"):
        if not texts[name].strip():
            raise CampaignFileRefused(
                f"the {name} would be empty; add text that does not depend on a condition", campaign_file.lines[name]
            )
    return replace_texts(campaign_file, texts | {"title": texts["title"] or texts["subject"]})
