"""A campaign's text made ready once, so that writing it to one more person costs next to nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from mailer.domain.site import Letterhead
from mailer.errors import LetterUnwritable, ManuscriptRefused
from mailer.mail.compose.campaign_file import Manuscript, texts, with_texts
from mailer.mail.compose.compose_letter import ComposedLetter, compose, compose_marked
from mailer.mail.compose.dynamic_content import Script, read_script
from mailer.mail.compose.merge_field import Hole, Marks, is_script
from mailer.mail.compose.personalise import Recipient, header_address, personalise, subject_for
from mailer.mail.compose.sandbox import Run
from mailer.mail.compose.templates import Templates
from mailer.mail.message.letter import Letter

_KEPT = 128
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
        header_address(recipient)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScriptedLetter:
    """A text with conditions, loops or expressions on the person.

    These choose a variant, in which marks stand for all that was evaluated; a variant is composed once, kept, and
    then spliced like any other text. So two outcomes of one condition are two letters for a million readers.
    """

    manuscript: Manuscript
    scripts: Mapping[str, Script | str]
    """By the text as it was written, since title and preheader often repeat another; without braces, as it is."""
    variant: Callable[[tuple[str, ...], int], ComposedLetter]
    """Composed of the evaluated texts in the order of `scripts`, and the number of words their marks stand for."""
    marks: Marks
    needs_check: bool = True

    @property
    def names(self) -> frozenset[str]:
        """The values of a person it uses."""
        return frozenset[str]().union(*(one.names for one in self.scripts.values() if isinstance(one, Script)))

    def write(self, recipient: Recipient) -> Letter:
        """This person's letter; LetterUnwritable says why there is none, AddressRefused as for any letter."""
        composed, words = self.chosen(recipient.values)
        return personalise(composed, recipient, words)

    def check(self, recipient: Recipient) -> None:
        """Raise what `write` would raise; the letter itself is not made."""
        header_address(recipient)
        self.chosen(recipient.values)

    def chosen(self, values: Mapping[str, str]) -> tuple[ComposedLetter, list[str]]:
        """The variant for a person of these values, and the words for its holes; LetterUnwritable."""
        run = Run(self.marks)
        evaluated = tuple(
            one.evaluate(values, run) if isinstance(one, Script) else one for one in self.scripts.values()
        )
        try:
            composed = self.variant(evaluated, len(run.words))
        except ManuscriptRefused as refusal:
            raise LetterUnwritable(refusal.reason, self._line(refusal.line, values)) from None
        words = [run.words[int(hole.name)] for hole in composed.holes]
        if composed.subject and not subject_for(composed, words).strip():
            raise LetterUnwritable("the subject would be empty", self.manuscript.lines["subject"])
        return composed, words

    def _line(self, line: int | None, values: Mapping[str, str]) -> int | None:
        """The line in the file for one in the evaluated text."""
        body = self.scripts[self.manuscript.body]
        if line is None or line < self.manuscript.body_line or not isinstance(body, Script):
            return line
        return body.line_of_result(values, Run(self.marks), line - self.manuscript.body_line)


CompiledLetter = PlainLetter | ScriptedLetter


def is_scripted(manuscript: Manuscript) -> bool:
    """Whether values of a person may keep a letter of this text from being written."""
    return any(map(is_script, texts(manuscript).values()))


def compile_letter(
    manuscript: Manuscript, letterhead: Letterhead, templates: Templates, reader_language: str, campaign_id: int
) -> CompiledLetter:
    """The letter, whose fixed words are in `reader_language`, for any recipient; ManuscriptRefused as by `compose`.

    What a scripted one can be refused for shows when it is tried: see `rehearse`.
    """
    if is_scripted(manuscript):
        return compile_scripted(manuscript, letterhead, templates, reader_language, campaign_id)
    composed = compose(manuscript, letterhead, templates, reader_language, campaign_id)
    return PlainLetter(composed=composed, names=manuscript.hole_names)


def compile_scripted(
    manuscript: Manuscript, letterhead: Letterhead, templates: Templates, reader_language: str, campaign_id: int
) -> ScriptedLetter:
    """The same for a text that is evaluated whether it needs it or not: it gives the same letters."""
    marks = Marks.of(repr(manuscript), ())
    sources = texts(manuscript)
    scripts: dict[str, Script | str] = {}
    for name, text in sources.items():
        if text not in scripts:
            scripts[text] = read_script(text, manuscript.lines[name]) if "{" in text else text

    def variant(evaluated: tuple[str, ...], words: int) -> ComposedLetter:
        of_words = Marks.of(repr(manuscript), tuple(Hole(str(place), "") for place in range(words)))
        by_source = dict(zip(scripts, evaluated, strict=True))
        chosen = _chosen(manuscript, {name: by_source[text] for name, text in sources.items()})
        return compose_marked(chosen, of_words, letterhead, templates, reader_language, campaign_id)

    return ScriptedLetter(
        manuscript=manuscript, scripts=scripts, variant=lru_cache(maxsize=_KEPT)(variant), marks=marks
    )


def _chosen(manuscript: Manuscript, evaluated: dict[str, str]) -> Manuscript:
    """With its evaluated texts as the front matter would have them; ManuscriptRefused where a letter needs one."""
    chosen = {name: text if name == "body" else text.strip() for name, text in evaluated.items()}
    for name in ("subject", "body"):
        if not chosen[name].strip():
            raise ManuscriptRefused(f"the {name} would be empty", manuscript.lines[name])
    return with_texts(manuscript, chosen | {"title": chosen["title"] or chosen["subject"]})
