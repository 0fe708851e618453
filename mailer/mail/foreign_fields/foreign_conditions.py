"""Conditions of other services, such as `*|IF:CITY|*` and `{{ if .Subscriber.Attribs.city }}`, and ours for them."""

from __future__ import annotations

import re

from mailer.mail.foreign_fields.foreign_field_words import our_name

_STRINGS = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")
_PATH = re.compile(r"(?<![\w.])(?!(?:loop|segment)\.)(?:\.?[A-Za-z_]\w*(?:\.\w+)+|\.[A-Za-z]\w*)(?![\w.]|[ \t]*\()")
_MAILCHIMP = re.compile(r"(IFNOT|IF|ELSEIF|ELSE|END)(?::[ \t]*(.*))?")
_COMPARED = re.compile(r"([^=!<>]+?)[ \t]*(!?=)[ \t]*(.+)")
_GO_COMPARED = re.compile(r"(eq|ne)[ \t]+(\S+)[ \t]+(\"[^\"\n]*\"|\d+)")
_OPENINGS = {"if": "if ", "else if": "elif ", "elsif": "elif ", "elif": "elif ", "unless": "if not "}
_OTHERS = {"else": "else", "end": "endif", "/if": "endif", "/unless": "endif", "endunless": "endif"}


def translate_mailchimp(written: str) -> str | None:
    """What to write instead of what stands between `*|` and `|*`; None if it is no condition."""
    match = _MAILCHIMP.fullmatch(written)
    if not match:
        return None
    if match[1] in {"ELSE", "END"}:
        return _say(_OTHERS[match[1].lower()])
    opening = {"IF": "if ", "IFNOT": "if not ", "ELSEIF": "elif "}[match[1]]
    if compared := _COMPARED.fullmatch(match[2] or ""):
        sign = "==" if compared[2] == "=" else "!="
        return _say(f'{opening}{our_name(compared[1])} {sign} "{compared[3].strip()}"')
    return _say(opening + our_name(match[2] or ""))


def translate_braces(keyword: str, expression: str) -> str:
    """What to write instead of a condition of Go or Handlebars, which has a keyword such as `else if` or `#if`."""
    keyword = " ".join(keyword.lstrip("#").split())
    if keyword in _OTHERS:
        return _say(_OTHERS[keyword])
    if match := _GO_COMPARED.fullmatch(expression.strip()):
        sign = "==" if match[1] == "eq" else "!="
        return _say(f"{_OPENINGS[keyword]}{our_name(match[2])} {sign} {match[3]}")
    return _say(_OPENINGS[keyword] + _translate_paths(expression))


def translate_liquid(keyword: str, expression: str) -> str | None:
    """What to write instead of a condition between `{%` and `%}`; None if it is one of ours."""
    if keyword in {"if", "elif"} and not _PATH.search(_STRINGS.sub("", expression)):
        return None
    return _say(_OTHERS.get(keyword) or _OPENINGS[keyword] + _translate_paths(expression))


def _translate_paths(expression: str) -> str:
    words = _STRINGS.split(expression)
    strings = [*_STRINGS.findall(expression), ""]
    return "".join(_PATH.sub(_our_name, word) + string for word, string in zip(words, strings, strict=True)).strip()


def _our_name(match: re.Match[str]) -> str:
    return our_name(match[0])


def _say(statement: str) -> str:
    return f"write {{% {statement.strip()} %}}"
