"""Languages in cells: tags, locales, names."""

from __future__ import annotations

import pytest

from mailer.importers.language_cell import read_language


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("de", "de"),
        ("pt_BR", "pt-br"),
        ("tr_TR.UTF-8", "tr-tr"),
        ("EN-us", "en-us"),
        ("Englisch", "en"),
        ("Français", "fr"),
        ("中文", "zh"),
        ("ger", "de"),
        ("", None),
        ("none of your business", None),
        ("42", None),
    ],
)
def test_languages(text: str, expected: str | None) -> None:
    assert read_language(text) == expected
