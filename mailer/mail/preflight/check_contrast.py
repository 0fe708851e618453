"""Whether the words of a letter stand out from what they stand on (WCAG 2.2, success criterion 1.4.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mailer.domain.letters.letter_colors import LEAST_CONTRAST, contrast_ratio
from mailer.domain.letters.preflight import PreflightResult, PreflightRule, fine, warning
from mailer.mail.preflight.dark_styles import StyleRule, dark_rules, parse_declarations
from mailer.mail.preflight.html_elements import HtmlDocument, HtmlElement
from mailer.mail.preflight.named_colors import NAMED_COLORS

LEAST_OF_LARGE = 3.0
"""For large words: 24 px, or 18.66 px in bold."""
_LARGE_PX, _LARGE_BOLD_PX, _USUAL_PX = 24.0, 18.66, 16.0
_MOST_SHOWN = 3
_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})")
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})\s*[, ]\s*(\d{1,3})\s*[, ]\s*(\d{1,3})\s*(?:[,/]\s*1(?:\.0*)?\s*)?\)")
_PX = re.compile(r"(\d+(?:\.\d+)?)px")
_BOLD = frozenset({"bold", "bolder", "600", "700", "800", "900"})
_BOLD_TAGS = frozenset({"b", "strong", "h1", "h2", "h3", "h4", "h5", "h6", "th"})


@dataclass(frozen=True, slots=True)
class FaintWords:
    """Words that are hard to read."""

    words: str
    color: str
    ground: str
    ratio: float
    needed: float
    is_dark: bool

    def __str__(self) -> str:
        where = "in the dark " if self.is_dark else ""
        words = self.words if len(self.words) <= 40 else f"{self.words[:39]}…"
        return f"“{words}” {where}is {self.color} on {self.ground}, contrast {self.ratio:.1f} of {self.needed:g}"


def check_contrast(document: HtmlDocument) -> Iterator[PreflightResult]:
    """The faintest words, as one warning; words on a picture or in a colour that we cannot read are left out."""
    faint = find_faint_words(document)
    if not faint:
        yield fine(PreflightRule.CONTRAST, f"all words stand out by {LEAST_CONTRAST:g} (large ones by 3) or more")
        return
    shown = "; ".join(map(str, faint[:_MOST_SHOWN]))
    more = f"; and {len(faint) - _MOST_SHOWN} more" if len(faint) > _MOST_SHOWN else ""
    cure = "Choose a darker or lighter colour: the list's accent colour, or in the template."
    yield warning(PreflightRule.CONTRAST, f"hard to read: {shown}{more}", cure)


def find_faint_words(document: HtmlDocument) -> list[FaintWords]:
    """All words with too little contrast, in the light and (where the letter has colours for it) in the dark."""
    found: dict[tuple[str, str, bool], FaintWords] = {}
    rules = dark_rules(document.styles)
    for is_dark in (False, True) if rules else (False,):
        styles = _Styles(rules if is_dark else [])
        for element, words in document.words:
            if (faint := _judge(styles, element, words, is_dark)) is not None:
                found.setdefault((faint.color, faint.ground, is_dark), faint)
    return sorted(found.values(), key=lambda one: one.ratio / one.needed)


def _judge(styles: _Styles, element: HtmlElement, words: str, is_dark: bool) -> FaintWords | None:
    chain = list(element.ancestors())
    if not any(one.isalnum() for one in words) or any(styles.is_hidden(one) for one in chain):
        return None
    color, ground = _inherited_color(styles, chain), _ground(styles, chain)
    if color is None or ground is None:
        return None
    ratio, needed = contrast_ratio(color, ground), LEAST_OF_LARGE if _is_large(styles, chain) else LEAST_CONTRAST
    return FaintWords(words, color, ground, ratio, needed, is_dark) if ratio < needed - 0.05 else None


class _Styles:
    """The declarations of each element, those of the dark before its own."""

    def __init__(self, rules: list[StyleRule]) -> None:
        self._rules = rules
        self._known: dict[int, dict[str, str]] = {}

    def of(self, element: HtmlElement) -> dict[str, str]:
        if (found := self._known.get(id(element))) is None:
            found = parse_declarations(element.attributes.get("style", ""))
            for rule in self._rules:
                if rule.applies_to(element):
                    found |= rule.declarations
            self._known[id(element)] = found
        return found

    def is_hidden(self, element: HtmlElement) -> bool:
        own = self.of(element)
        return element.tag == "head" or own.get("display") == "none" or own.get("visibility") == "hidden"


def _inherited_color(styles: _Styles, chain: list[HtmlElement]) -> str | None:
    """The colour of words here; None if it cannot be read."""
    for one in chain:
        if (value := styles.of(one).get("color") or one.attributes.get("color", "")) not in {"", "inherit"}:
            return parse_color(value)
    return "#000000"


def _ground(styles: _Styles, chain: list[HtmlElement]) -> str | None:
    """The colour behind words here; None if it cannot be read."""
    for one in chain:
        own = styles.of(one)
        if "url(" in own.get("background", "") + own.get("background-image", "") or "background" in one.attributes:
            return None
        value = own.get("background-color") or own.get("background") or one.attributes.get("bgcolor", "")
        if value not in {"", "transparent", "none", "inherit"}:
            return parse_color(value)
    return "#ffffff"


def _is_large(styles: _Styles, chain: list[HtmlElement]) -> bool:
    size = next((float(match[1]) for one in chain if (match := _PX.fullmatch(styles.of(one).get("font-size", "")))), 0)
    weight = next((value for one in chain if (value := styles.of(one).get("font-weight"))), "")
    is_bold = weight in _BOLD or (not weight and any(one.tag in _BOLD_TAGS for one in chain))
    return (size or _USUAL_PX) >= (_LARGE_BOLD_PX if is_bold else _LARGE_PX)


def parse_color(value: str) -> str | None:
    """A CSS colour as #rrggbb; None for one that is not opaque or not understood."""
    value = value.strip().lower()
    if match := _HEX.fullmatch(value):
        digits = match[1]
        return f"#{''.join(one * 2 for one in digits) if len(digits) == 3 else digits}"
    if match := _RGB.fullmatch(value):
        red, green, blue = (min(int(part), 255) for part in match.groups())
        return f"#{red:02x}{green:02x}{blue:02x}"
    return NAMED_COLORS.get(value)
