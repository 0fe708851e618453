"""Text made alike for comparing words in any of our languages."""

from __future__ import annotations

import unicodedata


def folded(text: str) -> str:
    """`text` without case and accents: HAYIR, Hayır and hayir are one, as are Değil and degil.

    Turkish has an i with and one without a dot, and both have capitals: all four become "i".
    """
    bare = unicodedata.normalize("NFKD", text.casefold().replace("ı", "i").replace("’", "'"))
    return "".join(character for character in bare if not unicodedata.combining(character))
