"""Jinja2 templates for letters, notices and pages, in English and every language with a catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from types import CodeType
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined, TemplateNotFound, select_autoescape
from jinja2.bccache import Bucket

from mailer.domain.language import text_direction

SOURCE_LANGUAGE = "en"
_NO_LETTERS, _HEADER_LENGTH = '"X-Letters: ', 2000


@dataclass(frozen=True)
class Templates:
    """The template folders (`letters`, `notices`, `pages`) and the catalogues of translations."""

    directory: Path
    locale_directory: Path

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of letters and pages: English, and each complete `*.po` in the locale folder."""
        return _installed_languages(self.locale_directory)

    @property
    def letter_names(self) -> tuple[str, ...]:
        """The names of the letter templates, as campaign files give them, in alphabetical order."""
        return _letter_names(self.directory)

    def environment(self, language: str) -> Environment:
        """The Jinja2 environment for one of `languages`."""
        return _create_environment(self.directory, self.locale_directory, language)

    def render(self, name: str, language: str, /, **values: Any) -> str:
        """A rendered template, such as `letters/appeal/letter.html` in Turkish.

        Each template is also given `language` (of its own words) and `dir`. An undefined name raises UndefinedError.
        """
        template = self.environment(language).get_template(f"{name}.j2")
        return template.render({"language": language, "dir": text_direction(language), **values})

    def has(self, name: str) -> bool:
        """Whether there is a template of this name."""
        try:
            self.environment(SOURCE_LANGUAGE).get_template(f"{name}.j2")
        except TemplateNotFound:
            return False
        return True


class _CompiledTemplates(BytecodeCache):
    """Each template's code, compiled once for all languages: words are looked up when it is rendered."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _CompiledTemplates()


@cache
def _letter_names(directory: Path) -> tuple[str, ...]:
    return tuple(sorted(path.parent.name for path in directory.glob("letters/*/letter.html.j2")))


@cache
def _installed_languages(locale_directory: Path) -> tuple[str, ...]:
    whole = (path.stem for path in locale_directory.glob("*.po") if _has_letters(path))
    return SOURCE_LANGUAGE, *sorted(whole)


def _has_letters(catalogue: Path) -> bool:
    """Whether letters can be written in this language: no header field `X-Letters` says that they cannot."""
    with catalogue.open(encoding="utf-8") as file:
        return _NO_LETTERS not in file.read(_HEADER_LENGTH)


@cache
def _create_environment(directory: Path, locale_directory: Path, language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(directory),
        # By the extension: letter.html.j2 escapes, letter.txt.j2 and confirm.md.j2 do not.
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False, default_for_string=False),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        bytecode_cache=_COMPILED,
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_translations(  # type: ignore[attr-defined]
        _load_translations(locale_directory / f"{language}.po"), newstyle=True
    )
    return environment


def _load_translations(catalogue: Path) -> Translations:
    """The catalogue, compiled in memory, so that no compiled file can be out of date."""
    if not catalogue.exists():
        return Translations()
    with catalogue.open("rb") as file:
        messages = read_po(file, locale=catalogue.stem, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return Translations(compiled)
