"""MJML of an organiser's template as HTML, made once when it is handed in.

The expressions and statements of Jinja2 are hidden from MJML behind words, which the HTML gets back.
"""

from __future__ import annotations

import re

from mjml import mjml2html

from mailer.errors import TemplateRefused

_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_POSITION = re.compile(r"at position (\d+):\d+")
_STEM = "jinja"


def is_mjml(source: str) -> bool:
    """Whether a template is MJML, not HTML."""
    return source.lstrip()[:5].lower() == "<mjml"


def mjml_to_html(source: str) -> str:
    """The HTML, with the same Jinja2. Raises TemplateRefused, with the line where it is known."""
    stem = _STEM
    while stem in source:
        stem += "z"
    hidden: list[str] = []

    def hide(match: re.Match[str]) -> str:
        hidden.append(match[0])
        return f"{stem}{len(hidden) - 1}x"

    plain = _JINJA.sub(hide, source)

    def show(text: str) -> str:
        return re.sub(rf"{stem}(\d+)x", lambda match: hidden[int(match[1])], text)

    try:
        return show(mjml2html(plain, fonts={}))
    except ValueError as error:
        position = _POSITION.search(str(error))
        line = show(plain[: int(position[1])]).count("\n") + 1 if position else None
        raise TemplateRefused(f"MJML cannot be read: {error}", line) from None
