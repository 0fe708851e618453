"""Normalizing text so that words in any of our languages can be compared."""

from __future__ import annotations

import unicodedata

# Unicode does not fold the Turkish i without a dot, and Arabic letters that writers use for one another.
_EQUIVALENTS = str.maketrans("ı’‘ʼ´`ٱىةکی", "i'''''ايهكي")
_TATWEEL = "ـ"


def normalize_text(text: str) -> str:
    """`text` without case, accents and width: HAYIR, Hayır and hayir become the same, like Değil and degil, أ and ا.

    Turkish has an i with a dot and one without, each with a capital: all four become "i". Invisible characters (soft
    hyphens, direction marks) are removed.
    """
    bare = unicodedata.normalize("NFKD", text.casefold()).translate(_EQUIVALENTS)
    return "".join(letter for letter in bare if letter != _TATWEEL and unicodedata.category(letter) not in {"Mn", "Cf"})
