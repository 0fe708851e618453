"""A language for tests of the console: written from right to left, longer than English, and each message in brackets.

What is not in brackets on a page was never given to the translators; what breaks is not made for other scripts.
"""

from __future__ import annotations

import re
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po
from jinja2.ext import babel_extract

PSEUDO = "he"
"""Hebrew, whose dates and numbers Babel writes; the words stay English, so that tests can read them."""
_PLACEHOLDER = re.compile(r"(%\(\w+\)[sd])")
_FILLER = "אבגד הוזח טיכל מנסע"


def write_pseudo_catalogue(templates: Path, locale_directory: Path) -> None:
    """Write the catalogue for all messages of templates/console, beside the real ones of the locale folder."""
    catalogue = Catalog(locale=PSEUDO)
    found = extract_from_dir(
        templates,
        method_map=[("console/**.j2", babel_extract)],
        options_map={"console/**.j2": {"trimmed": "true", "silent": "false"}},
    )
    for _file, _line, message, _comments, context in found:
        entry = catalogue.add(message, context=context)
        if entry.pluralizable:
            one, many = entry.id
            entry.string = (_lengthen(one), *[_lengthen(many)] * (catalogue.num_plurals - 1))
        else:
            entry.string = _lengthen(entry.id)
    with (locale_directory / f"{PSEUDO}.po").open("wb") as file:
        write_po(file, catalogue)


def _lengthen(message: str) -> str:
    """A third longer, as German is; the values of the message stay."""
    words = len(_PLACEHOLDER.sub("", message))
    return f"[{message} {_FILLER[: max(2, words // 3)].strip()}]"
