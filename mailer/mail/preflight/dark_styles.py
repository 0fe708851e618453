"""The rules of a letter's style sheet for readers who have it dark: which of them apply to an element."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mailer.mail.preflight.html_elements import HtmlElement

_DARK = re.compile(r"@media[^{]*prefers-color-scheme:\s*dark[^{]*\{")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_COMPOUND = re.compile(r"([a-z][a-z0-9]*)?((?:\.[A-Za-z_][\w-]*)*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StyleRule:
    """One selector of a rule, and what it declares."""

    parts: tuple[tuple[str, tuple[str, ...]], ...]
    """(tag or "", classes) of each compound selector, the outermost first."""
    declarations: dict[str, str]

    @property
    def weight(self) -> tuple[int, int]:
        """Its specificity: classes, then tags."""
        return sum(len(classes) for _, classes in self.parts), sum(bool(tag) for tag, _ in self.parts)

    def applies_to(self, element: HtmlElement) -> bool:
        """Whether the selector matches this element."""
        *outer, own = self.parts
        if not _matches(own, element):
            return False
        chain = element.ancestors()
        next(chain)
        return all(any(_matches(part, one) for one in chain) for part in reversed(outer))


def dark_rules(styles: list[str]) -> list[StyleRule]:
    """The rules under `prefers-color-scheme: dark`, the weakest first; selectors of other kinds are left out."""
    rules = [rule for style in styles for block in _dark_blocks(style) for rule in _read_rules(block)]
    return sorted(rules, key=lambda one: one.weight)


def parse_declarations(text: str) -> dict[str, str]:
    """The declarations of a `style` attribute or a rule, by property, without `!important`."""
    found: dict[str, str] = {}
    for one in text.split(";"):
        name, colon, value = one.partition(":")
        if colon:
            found[name.strip().lower()] = value.replace("!important", "").strip().lower()
    return found


def _dark_blocks(style: str) -> Iterator[str]:
    for match in _DARK.finditer(style):
        depth = 1
        for place in range(match.end(), len(style)):
            depth += {"{": 1, "}": -1}.get(style[place], 0)
            if depth == 0:
                yield style[match.end() : place]
                break


def _read_rules(block: str) -> Iterator[StyleRule]:
    for match in _RULE.finditer(block):
        declarations = parse_declarations(match[2])
        for selector in match[1].split(","):
            compounds = [_COMPOUND.fullmatch(part) for part in selector.split()]
            if compounds and all(compounds):
                parts = tuple((one[1] or "", tuple(filter(None, one[2].split(".")))) for one in compounds if one)
                yield StyleRule(parts, declarations)


def _matches(part: tuple[str, tuple[str, ...]], element: HtmlElement) -> bool:
    tag, classes = part
    return (not tag or tag.lower() == element.tag) and set(classes) <= set(element.classes)
