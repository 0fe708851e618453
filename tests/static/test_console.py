"""The console's stylesheet and icons: small, readable for everybody, and for both directions of writing."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest

from tests.support.app_helpers import ROOT

STATIC = ROOT / "mailer" / "static"
CSS = (STATIC / "console.css").read_text()
TEXT_COLOURS = ["ink", "soft", "accent", "accent-deep", "well", "waiting", "wrong", "stopped"]
GROUNDS = ["page", "raised", "sunk"]


def token(name: str, scheme: int) -> str:
    """The colour of a name in the light (0) or the dark (1) scheme."""
    both = re.search(rf"--{name}:light-dark\((oklch\([^)]*\)), (oklch\([^)]*\))\)", CSS)
    assert both, name
    return both[1 + scheme]


def luminance(oklch: str) -> float:
    """Relative luminance (WCAG 2.2) of an oklch colour (CSS Color 4 section 9), cut to what a screen shows."""
    lightness, chroma, hue = (float(part.rstrip("%")) for part in re.findall(r"[\d.]+%?", oklch)[:3])
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    lightness /= 100
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short
    red, green, blue = (min(1.0, max(0.0, one)) for one in (red, green, blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_measure_of_contrast_is_right_for_black_and_for_red_on_white():
    assert contrast("oklch(0% 0 0)", "oklch(100% 0 0)") == pytest.approx(21, abs=0.01)
    assert contrast("oklch(62.796% .25768 29.234)", "oklch(100% 0 0)") == pytest.approx(3.998, abs=0.01)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("colour", TEXT_COLOURS)
def test_text_has_a_contrast_of_seven_on_every_ground(colour, scheme):
    assert min(contrast(token(colour, scheme), token(ground, scheme)) for ground in GROUNDS) >= 7


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_controls_have_a_contrast_of_four_and_a_half(scheme):
    assert contrast(token("on-accent", scheme), token("accent", scheme)) >= 7
    assert contrast(token("on-accent", scheme), token("accent-deep", scheme)) >= 7
    assert min(contrast(token("line", scheme), token(ground, scheme)) for ground in ["page", "raised"]) >= 4.5


def test_the_stylesheet_has_at_most_16_kb():
    assert len(CSS.encode()) <= 16 * 1024


def test_nothing_in_it_knows_left_from_right():
    physical = r"\b(?:left|right)\b|(?:margin|padding|border)-(?:top|bottom)\b"

    assert re.findall(physical, CSS) == []


def test_each_custom_property_is_used_and_each_used_one_is_there():
    assert set(re.findall(r"(--[a-z-]+):", CSS)) == set(re.findall(r"var\((--[a-z-]+)\)", CSS))


def test_the_sprite_has_at_most_twenty_icons_of_different_names():
    symbols = list(ElementTree.parse(STATIC / "icons.svg").iter("{http://www.w3.org/2000/svg}symbol"))
    names = [symbol.get("id") for symbol in symbols]

    assert len(set(names)) == len(names) <= 20
    assert {"well", "waiting", "wrong", "stopped"} <= set(names)


def test_the_sprite_brings_no_style_and_no_script():
    assert not re.search(r"style|script|on[a-z]+=|javascript:", (STATIC / "icons.svg").read_text())
