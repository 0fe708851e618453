"""Names of media files, made of what a file was called: one of plain ASCII for its path, one that readers see."""

from __future__ import annotations

import re
import unicodedata

_LONGEST_STEM, _LONGEST_SHOWN = 60, 80
_PLAIN = re.compile(r"[^a-z0-9]+")
_SIZE = re.compile(r"(?<=\d)x(?=\d)")
_FOLDED = str.maketrans({"ß": "ss", "ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th"})
_NOT_IN_FILE_NAMES = re.compile(r'[\\/:*?"<>|%;]+')
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Categories of characters that are not seen, or that turn others round, as in a name that seems to end in pdf."""


def path_name(name: str, extension: str, *, size: tuple[int, int] | None = None, kind: str = "file") -> str:
    """The file name for a path: lower-case ASCII letters, digits and hyphens, then a picture's size and the extension.

    What no such letter stands for is left out; where nothing is left it is called `kind`.
    """
    folded = unicodedata.normalize("NFKD", _stem(name).lower().translate(_FOLDED))
    plain = _PLAIN.sub("-", "".join(one for one in folded if not unicodedata.combining(one)))
    # Only a picture's name may tell a size.
    stem = _SIZE.sub("-", plain)[:_LONGEST_STEM].strip("-") or kind
    return f"{stem}-{size[0]}x{size[1]}.{extension}" if size else f"{stem}.{extension}"


def shown_name(name: str, extension: str, *, kind: str = "file") -> str:
    """The file name that readers see: as it was called, in its own script, on one line, without a folder."""
    kept = "".join(one for one in _stem(name) if unicodedata.category(one) not in _UNSEEN)
    words = " ".join(_NOT_IN_FILE_NAMES.sub("-", kept).split())
    return f"{words[:_LONGEST_SHOWN].strip(' .-') or kind}.{extension}"


def extension_of(name: str) -> str:
    """What follows the last dot of a file name, in lower case; "" where there is none."""
    base = _base(name)
    return base.rpartition(".")[2].lower() if "." in base else ""


def _base(name: str) -> str:
    return unicodedata.normalize("NFC", name.replace("\\", "/").rpartition("/")[2])


def _stem(name: str) -> str:
    stem, dot, extension = _base(name).rpartition(".")
    return stem if dot and len(extension) <= 5 else _base(name)
