"""Text made alike for comparing words in any of our languages."""

from __future__ import annotations

import unicodedata

# What Unicode does not fold: the Turkish i without a dot, and letters that Arabic writers use for one another.
_EQUIVALENTS = str.maketrans("ı’‘ʼ´`ٱىةکی", "i'''''ايهكي")
_TATWEEL = "ـ"


def normalize_text(text: str) -> str:
    """`text` without case, accents and width: HAYIR, Hayır and hayir are one, as are Değil and degil, أ and ا.

    Turkish has an i with and one without a dot, and both have capitals: all four become "i". What is not shown
    (soft hyphens, marks of direction) is left out.
    """
    bare = unicodedata.normalize("NFKD", text.casefold()).translate(_EQUIVALENTS)
    return "".join(letter for letter in bare if letter != _TATWEEL and unicodedata.category(letter) not in {"Mn", "Cf"})
