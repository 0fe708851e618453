"""The colours of a letter, derived from its list's accent colour so that every text on them can be read."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

OWN_ACCENT = "#1b6b59"
"""The accent of letters of a list that has not chosen a colour."""
LEAST_CONTRAST = 4.5
"""Between text and what it stands on (WCAG 2.2, success criterion 1.4.3)."""
_EASY_CONTRAST = 7.0
"""Success criterion 1.4.6: where we choose freely."""
_DARK_CONTRAST = 9.0
"""In the dark, where thin light letters blur."""
_DARK_SATURATION = 0.8
"""Of the accent's, since vivid colours glow in the dark."""
_PAGE, _CARD, _DARK_PAGE, _DARK_CARD = "#f3f5f2", "#fdfefd", "#12181a", "#1b2326"
_WHITE, _BLACK = "#ffffff", "#000000"
_STEPS = 100

Rgb = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterColors:
    """Colours as #rrggbb, of the letter in the light and in the dark."""

    accent: str
    """Of buttons and bands: the list's own."""
    on_accent: str
    """Text on `accent`."""
    link: str
    """The accent as text on `page`, `card` and `tint`; darker where it must be."""
    tint: str
    """A pale ground in the accent's hue."""
    edge: str
    """A line in the accent's hue."""
    dark_accent: str
    """In the dark: links, and the ground of buttons."""
    on_dark_accent: str
    dark_tint: str
    dark_edge: str
    page: str = _PAGE
    card: str = _CARD
    dark_page: str = _DARK_PAGE
    dark_card: str = _DARK_CARD


@lru_cache(maxsize=256)
def derive_colors(accent: str | None) -> LetterColors:
    """The colours of letters with this accent, #rrggbb, or with our own for None."""
    accent = (accent or OWN_ACCENT).lower()
    tint = mix(accent, _WHITE, 0.09)
    light = next(shade for shade in _lighter(accent) if _stands_out(shade, (_DARK_CARD, _DARK_PAGE), _DARK_CONTRAST))
    return LetterColors(
        accent=accent,
        on_accent=_text_on(accent),
        link=next(shade for shade in _darker(accent) if _stands_out(shade, (_PAGE, _CARD, tint), LEAST_CONTRAST)),
        tint=tint,
        edge=mix(accent, _WHITE, 0.4),
        dark_accent=light,
        on_dark_accent=_text_on(light),
        dark_tint=mix(light, _DARK_CARD, 0.1),
        dark_edge=mix(light, _DARK_CARD, 0.5),
    )


def contrast_ratio(one: str, other: str) -> float:
    """The contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def mix(one: str, other: str, share: float) -> str:
    """The colour with `share` (0 to 1) of `one` and the rest of `other`."""
    pairs = zip(_parse(one), _parse(other), strict=True)
    return _format(tuple(share * first + (1 - share) * second for first, second in pairs))  # type: ignore[arg-type]


def _text_on(ground: str) -> str:
    """White, where it can be read well; else a shade of the ground itself, or the better of white and black."""
    if contrast_ratio(_WHITE, ground) >= LEAST_CONTRAST:
        return _WHITE
    return next((shade for shade in _darker(ground) if contrast_ratio(shade, ground) >= _EASY_CONTRAST), _BLACK)


def _darker(color: str) -> Iterator[str]:
    hue, lightness, saturation = colorsys.rgb_to_hls(*_parse(color))
    for step in range(_STEPS + 1):
        yield color if step == 0 else _format(colorsys.hls_to_rgb(hue, lightness * (1 - step / _STEPS), saturation))


def _lighter(color: str) -> Iterator[str]:
    hue, lightness, saturation = colorsys.rgb_to_hls(*_parse(color))
    for step in range(_STEPS + 1):
        lighter = lightness + (1 - lightness) * step / _STEPS
        yield _format(colorsys.hls_to_rgb(hue, lighter, saturation * _DARK_SATURATION))


def _stands_out(color: str, grounds: tuple[str, ...], contrast: float) -> bool:
    return all(contrast_ratio(color, ground) >= contrast for ground in grounds)


def _luminance(color: str) -> float:
    """The relative luminance (WCAG 2.2), from 0 to 1."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _parse(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parse(color: str) -> Rgb:
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red / 255, green / 255, blue / 255


def _format(rgb: Rgb) -> str:
    return "#" + bytes(round(255 * part) for part in rgb).hex()
