"""Every word the templates say, in every language we claim to speak."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

ROOT = Path(__file__).parents[2]
CATALOGUES = sorted((ROOT / "mailer" / "locale").glob("*.po"))


def spoken() -> Catalog:
    """The English words of all templates."""
    words = Catalog()
    found = extract_from_dir(
        ROOT / "templates",
        method_map=[("**.j2", babel_extract)],
        options_map={"**.j2": {"trimmed": "true", "silent": "false"}},
    )
    for _file, _line, message, _comments, context in found:
        words.add(message, context=context)
    return words


def forms(message: str | tuple[str, ...]) -> tuple[str, ...]:
    """A message's forms, singular first."""
    return (message,) if isinstance(message, str) else tuple(message)


def holes(text: str) -> list[str]:
    """What stands in a message for a value, in order of name."""
    return sorted(re.findall(r"%\(\w+\)s|%(?!\()", text))


@pytest.fixture(params=CATALOGUES, ids=lambda path: path.stem)
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    with request.param.open("rb") as file:
        return read_po(file, locale=request.param.stem, abort_invalid=True)


def test_ten_languages_are_spoken():
    assert {path.stem for path in CATALOGUES} == {"ar", "de", "es", "fr", "it", "pt", "ru", "tr", "zh"}


def test_a_catalogue_has_every_message_of_the_templates_and_no_other(catalogue):
    said = {(forms(message.id), message.context) for message in spoken() if message.id}
    translated = {(forms(message.id), message.context) for message in catalogue if message.id}

    assert len(said) > 50
    assert said == translated
    assert not catalogue.obsolete


def test_every_translation_is_written_finished_and_keeps_its_holes(catalogue):
    for message in catalogue:
        if not message.id:
            continue
        english, translations = forms(message.id), forms(message.string)

        assert not message.fuzzy, english
        assert all(text.strip() for text in translations), english
        assert len(translations) == (catalogue.num_plurals if len(english) > 1 else 1), english
        assert {tuple(holes(text)) for text in translations} == {tuple(holes(english[-1]))}, english


def test_no_translation_is_left_in_english(catalogue):
    same = [message.id for message in catalogue if message.id and forms(message.id)[0] == forms(message.string)[0]]

    assert same == []


def test_no_sentence_in_arabic_begins_with_a_value_that_would_turn_its_direction():
    with (ROOT / "mailer" / "locale" / "ar.po").open("rb") as file:
        arabic = read_po(file, locale="ar", abort_invalid=True)

    assert [text for message in arabic if message.id for text in forms(message.string) if text.startswith("%")] == []
