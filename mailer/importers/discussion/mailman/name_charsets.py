"""The character sets in which Mailman 2.1 stores names, by the list's and the member's language."""

from __future__ import annotations

from collections.abc import Iterable

from mailer.importers.table_encoding import guess_encoding

_LATIN_1 = "cp1252"
"""Of ISO 8859-1 a superset, but for control characters."""
_CHARSETS = (
    dict.fromkeys(["ast", "br", "da", "de", "es", "fi", "fr", "gl", "it", "nl", "no", "pt", "pt_br", "sv"], _LATIN_1)
    | dict.fromkeys(["et", "eu", "ia"], "iso-8859-15")
    | dict.fromkeys(["cs", "hr", "hu", "pl", "ro", "sk", "sl"], "iso-8859-2")
    | {"lt": "iso-8859-13", "el": "iso-8859-7", "he": "iso-8859-8", "tr": "iso-8859-9", "ru": "koi8-r"}
    | {"uk": "koi8-u", "ja": "euc-jp", "ko": "euc-kr", "zh_cn": "gb18030", "zh_tw": "big5"}
)
"""Names that are valid UTF-8 are read as such before, so languages whose character set that is are left out. Some of
those (zh_CN, he, uk, gl) had another one in older versions. English has none (us-ascii)."""


def decode_name(name: bytes | str, languages: Iterable[str]) -> tuple[str, bool]:
    """A name as text, and whether its character set is sure.

    Tried are UTF-8, then the character sets of the languages in their order, then the likeliest by its letters.
    """
    if isinstance(name, str):
        return name, True
    if name.isascii():
        return name.decode("ascii"), True
    for charset in ("utf-8", *filter(None, (_CHARSETS.get(one.lower().replace("-", "_")) for one in languages))):
        try:
            return name.decode(charset), True
        except UnicodeDecodeError:
            continue
    return name.decode(guess_encoding(name), "replace"), False
