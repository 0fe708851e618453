"""The console's catalogues: every word of its pages, in German and Turkish."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from mailer.mail.compose.templates import Templates

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "mailer" / "locale" / "console"
CATALOGUES = sorted(FOLDER.glob("*.po"))


def forms(message: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """A message's forms, singular first."""
    return (message,) if isinstance(message, str) else tuple(message)


def placeholders_in(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)[sd]", text))


def page_messages() -> set[tuple[str, ...]]:
    """The English words of all pages of the console."""
    found = extract_from_dir(
        ROOT / "templates" / "console",
        method_map=[("**.j2", babel_extract)],
        options_map={"**.j2": {"trimmed": "true", "silent": "false"}},
    )
    return {forms(message) for _file, _line, message, _comments, _context in found if forms(message)[0]}


@pytest.fixture(params=CATALOGUES, ids=lambda path: path.stem)
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    with request.param.open("rb") as file:
        return read_po(file, locale=request.param.stem, abort_invalid=True)


def test_the_console_speaks_three_languages() -> None:
    assert Templates(ROOT / "templates", FOLDER).languages == ("en", "de", "tr")


def test_a_catalogue_has_every_word_of_the_pages_and_no_other(catalogue: Catalog) -> None:
    translated = {forms(message.id) for message in catalogue if message.id}
    said = page_messages()

    assert len(said) > 300
    assert sorted(said - translated) == [], "these are to be translated"
    assert sorted(translated - said) == [], "no page says these any more"
    assert not catalogue.obsolete


def test_every_translation_is_finished_and_keeps_its_placeholders(catalogue: Catalog) -> None:
    for message in catalogue:
        if not message.id:
            continue
        english, translations = forms(message.id), forms(message.string)

        assert not message.fuzzy, english
        assert len(translations) == (catalogue.num_plurals if len(english) > 1 else 1), english
        assert placeholders_in(translations[-1]) == placeholders_in(english[-1]), english
        for text in translations:
            assert text.strip(), english
            assert placeholders_in(text) <= placeholders_in(english[-1]), english


def test_a_sentence_ends_as_the_english_one_does(catalogue: Catalog) -> None:
    """A label with a full stop, or a sentence without one, is a slip of the translator."""
    slips = []
    for message in catalogue:
        if message.id:
            english, translation = forms(message.id)[-1], forms(message.string)[-1]
            if english.endswith((".", ":")) != translation.endswith((".", ":")):
                slips.append(english)

    assert slips == []
