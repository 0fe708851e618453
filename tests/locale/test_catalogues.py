"""The catalogues: every message of the templates and every command, in each language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from mailer.mail.compose.templates import Templates
from mailer.mail.inbound.command_words import (
    CONTEXT,
    MAX_PHRASE_WORDS,
    MESSAGES,
    CommandName,
    Vocabulary,
    load_vocabulary,
    split_words,
)

ROOT = Path(__file__).parents[2]
TEMPLATES = Templates(ROOT / "templates", ROOT / "mailer" / "locale")
CATALOGUES = sorted(TEMPLATES.locale_directory.glob("*.po"))
WHOLE = [path for path in CATALOGUES if path.stem in TEMPLATES.languages[1:]]


def template_messages() -> Catalog:
    """The English words of all templates but the console's, which has catalogues of its own."""
    words = Catalog()
    found = extract_from_dir(
        ROOT / "templates",
        method_map=[("console/**", "ignore"), ("**.j2", babel_extract)],
        options_map={"**.j2": {"trimmed": "true", "silent": "false"}},
    )
    for _file, _line, message, _comments, context in found:
        words.add(message, context=context)
    return words


def forms(message: str | tuple[str, ...]) -> tuple[str, ...]:
    """A message's forms, singular first."""
    return (message,) if isinstance(message, str) else tuple(message)


def placeholders_in(text: str) -> list[str]:
    """What stands in a message for a value, in order of name."""
    return sorted(re.findall(r"%\(\w+\)s|%(?!\()", text))


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.stem, abort_invalid=True)


@pytest.fixture(params=CATALOGUES, ids=lambda path: path.stem)
def catalogue(request: pytest.FixtureRequest) -> Catalog:
    """Any catalogue."""
    return read(request.param)


@pytest.fixture(params=WHOLE, ids=lambda path: path.stem)
def whole(request: pytest.FixtureRequest) -> Catalog:
    """A catalogue of a language that letters are written in."""
    return read(request.param)


def test_letters_are_written_in_ten_languages():
    assert set(TEMPLATES.languages) == {"ar", "de", "en", "es", "fr", "it", "pt", "ru", "tr", "zh"}


def test_commands_are_understood_in_ten_languages():
    assert {path.stem for path in CATALOGUES} == {"ar", "de", "en", "es", "fr", "it", "pt", "ru", "tr", "zh"}


def test_a_catalogue_has_every_message_of_the_templates_and_no_other(whole):
    said = {(forms(message.id), message.context) for message in template_messages() if message.id}
    translated = {(forms(message.id), message.context) for message in whole if message.id}

    assert len(said) > 50
    assert said | {((command,), CONTEXT) for command in MESSAGES} == translated


def test_a_catalogue_has_the_vocabulary_and_nothing_obsolete(catalogue):
    assert all(catalogue.get(command, CONTEXT) for command in MESSAGES)
    assert not catalogue.obsolete


def test_a_phrase_asks_for_one_thing_and_means_either_yes_or_no():
    meant: dict[tuple[str, ...], set[str]] = {}
    for path in CATALOGUES:
        words = read(path)
        for command in MESSAGES:
            for phrase in str(words.get(command, CONTEXT).string).split(","):
                meant.setdefault(tuple(word.text for word in split_words(phrase)), set()).add(command)

    assert 0 < min(map(len, meant)) <= max(map(len, meant)) <= MAX_PHRASE_WORDS
    assert [phrase for phrase, what in meant.items() if len(what & set(CommandName)) > 1] == []
    declining = {"no", "not me", "never", "unsubscribe"}
    assert [phrase for phrase, what in meant.items() if "yes" in what and what & declining] == []
    courtesies = {"please", "hello"}
    answering = {*CommandName, "yes", *declining}
    assert [phrase for phrase, what in meant.items() if what & courtesies and what & answering] == []
    assert [phrase for phrase, what in meant.items() if "alone" in what and not what & answering] == []


def test_the_vocabulary_is_loaded_once():
    assert isinstance(load_vocabulary(TEMPLATES.locale_directory), Vocabulary)
    assert load_vocabulary(TEMPLATES.locale_directory) is load_vocabulary(TEMPLATES.locale_directory)


def test_every_translation_is_finished_and_keeps_its_placeholders(catalogue):
    for message in catalogue:
        if not message.id:
            continue
        english, translations = forms(message.id), forms(message.string)

        assert not message.fuzzy, english
        assert all(text.strip() for text in translations), english
        assert len(translations) == (catalogue.num_plurals if len(english) > 1 else 1), english
        assert {tuple(placeholders_in(text)) for text in translations} == {tuple(placeholders_in(english[-1]))}, english


def test_no_translation_is_left_in_english(catalogue):
    letters = [message for message in catalogue if message.id and message.context != CONTEXT]
    same = [message.id for message in letters if forms(message.id)[0] == forms(message.string)[0]]

    assert same == []


def test_no_sentence_in_arabic_begins_with_a_value_that_would_turn_its_direction():
    with (ROOT / "mailer" / "locale" / "ar.po").open("rb") as file:
        arabic = read_po(file, locale="ar", abort_invalid=True)

    assert [text for message in arabic if message.id for text in forms(message.string) if text.startswith("%")] == []
