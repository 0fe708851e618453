"""Merge fields of other services, such as `*|FNAME|*`, found in a text, each with our form for that very value.

The forms are those that listmonk, Mailchimp, Brevo, Keila, Mailgun, phpList, Ghost, Buttondown, Sendy, MailerLite,
MailPoet, Campaign Monitor, CiviCRM, ActiveCampaign, HubSpot, Klaviyo and Salesforce document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from mailer.errors import CampaignFileRefused
from mailer.mail.foreign_fields.foreign_conditions import translate_braces, translate_liquid, translate_mailchimp
from mailer.mail.foreign_fields.foreign_field_words import advice_for, is_known_word

_MOST_FOUND = 100


@dataclass(frozen=True, slots=True)
class ForeignField:
    """A merge field, a condition or a command of another service."""

    line: int
    start: int
    end: int
    """Where it stands in the text, from 0."""
    message: str
    is_sure: bool
    """Whether it cannot be meant as plain text."""


@dataclass(frozen=True, slots=True)
class _Shape:
    pattern: re.Pattern[str]
    advise: Callable[[re.Match[str]], str | None]
    """What to write instead; None for a text of this shape that is no field."""
    is_sure: bool = True
    in_code: bool = False
    """Whether it is one in Markdown's code, too."""


def find_foreign_fields(text: str, first_line: int = 1) -> list[ForeignField]:
    """Merge fields of other services in a text that begins on `first_line`, in order, a hundred at most.

    None overlaps another.
    """
    found: list[ForeignField] = []
    for match, advice, is_sure in islice(_matches(text), _MOST_FOUND):
        if not any(one.start < match.end() and match.start() < one.end for one in found):
            line = first_line + text.count("\n", 0, match.start())
            message = f"{match[0]} is how another service writes it: {advice}"
            found.append(ForeignField(line, match.start(), match.end(), message, is_sure))
    return sorted(found, key=lambda one: one.start)


def find_foreign_errors(text: str, first_line: int = 1) -> Iterator[CampaignFileRefused]:
    """One error for each that cannot be meant as plain text."""
    for one in find_foreign_fields(text, first_line):
        if one.is_sure:
            yield CampaignFileRefused(one.message, one.line)


def mask_foreign_fields(text: str) -> str:
    """The text with dots instead of merge fields of other services."""
    for one in find_foreign_fields(text):
        if one.is_sure:
            text = text[: one.start] + "." * (one.end - one.start) + text[one.end :]
    return text


def _matches(text: str) -> Iterator[tuple[re.Match[str], str, bool]]:
    without_code = _blank_code(text)
    for shape in _SHAPES:
        for match in shape.pattern.finditer(text if shape.in_code else without_code):
            if advice := shape.advise(match):
                yield match, advice, shape.is_sure


_FENCED_CODE = re.compile(r"^ {0,3}(```+|~~~+)[^`\n]*\n.*?(?:^ {0,3}\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"(?<!`)(`+)(?!`)[^\n]{0,400}?(?<!`)\1(?!`)")


def _blank_code(text: str) -> str:
    """The text, with spaces in place of code."""
    for pattern in (_FENCED_CODE, _CODE):
        text = pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    return text


def _first(match: re.Match[str], *groups: int) -> str | None:
    return next((match[group] for group in groups if match[group] is not None), None)


def _field(match: re.Match[str]) -> str:
    """For a shape whose first group is the field, and whose others, if any, are its fallback."""
    return advice_for(match[1], _first(match, *range(2, match.re.groups + 1)))


def _known(match: re.Match[str]) -> str | None:
    return _field(match) if is_known_word(match[1]) else None


def _bracketed(match: re.Match[str]) -> str | None:
    """`[NAME]`, unless it is a link of Markdown that is defined elsewhere."""
    defined = f"[{match[1]}]:" in match.string
    return None if defined else _known(match)


def _mailchimp(match: re.Match[str]) -> str:
    return translate_mailchimp(match[1]) or advice_for(match[1])


def _braces(match: re.Match[str]) -> str:
    return translate_braces(match[1], match[2])


def _liquid(match: re.Match[str]) -> str | None:
    return translate_liquid(match[1], match[2])


_QUOTED = r"""(?:"([^"\n]*)"|'([^'\n]*)')"""
_WORD = r"[A-Za-z_]\w*"
_PATH = rf"(?:{_WORD}(?:\.\w+)+|\.{_WORD}(?:\.\w+)*)"
_WORDS = rf"(?:{_WORD}(?:\.\w+)+|\.{_WORD}(?:\.\w+)*)"
_REST = r"[^{}\n]*?"
_NOT_OURS = r"(?!(?:loop|segment)\.)"
"""Not before one of our own names that a point may follow."""


def _in_braces(pattern: str, advise: Callable[[re.Match[str]], str | None]) -> _Shape:
    # Also in code, since double braces are never plain text.
    return _Shape(re.compile(rf"\{{\{{[-~]?[ \t]*{pattern}[ \t]*[-~]?\}}\}}"), advise, in_code=True)


def _in_tag(pattern: str, advise: Callable[[re.Match[str]], str | None]) -> _Shape:
    return _Shape(re.compile(rf"\{{%[-+]?[ \t]*{pattern}[ \t]*[-+]?%\}}"), advise, in_code=True)


def _plain(pattern: str, advise: Callable[[re.Match[str]], str | None] = _field, *, is_sure: bool = True) -> _Shape:
    return _Shape(re.compile(pattern), advise, is_sure)


_SHAPES = (
    _plain(r"\*\|([A-Z][^|*\n]{0,100})\|\*", _mailchimp),
    _in_braces(rf"(#?(?:else[ \t]+)?(?:if|unless)|else|end|/if|/unless)\b({_REST})", _braces),
    _in_braces(rf"\{{[#/^>&!]?[ \t]*([\w.]+){_REST}\}}", _field),
    _in_braces(rf"(TrackLink|TrackView|UnsubscribeURL|ManageURL|MessageURL)\b{_REST}", _field),
    _in_braces(rf"personalization_token\([ \t]*['\"]([\w.]+)['\"](?:[ \t]*,[ \t]*{_QUOTED})?[ \t]*\)", _field),
    _in_braces(rf"{_NOT_OURS}({_PATH})(?:[ \t]*(?:\|{_REST}|or\b)[ \t]*{_QUOTED}\)?|[ \t]*\|{_REST})?", _field),
    _in_braces(rf"(\w+)[ \t]*\|[ \t]*default[ \t]*:[ \t]*{_QUOTED}{_REST}", _field),
    _in_braces(r"(unsubscribe\w*|mirror|webversion|email)", _field),
    _in_tag(rf"(if|elif|elsif|unless|endunless)\b({_REST})", _liquid),
    _in_tag(rf"(unsubscribe\w*|web_view\w*|manage_preferences\w*)\b{_REST}", _field),
    _plain(r"%recipient[._]([\w.-]+)%"),
    _plain(r"%((?:mailing_list_|tag_)?unsubscribe_(?:url|email))%"),
    _plain(r"%%(?:\[[ \t]*)?([A-Za-z][\w .-]{0,60}?)[ \t]*\]?%%"),
    _plain(r"%([A-Z][A-Z0-9_-]{2,40})%", _known),
    _plain(r"%\((\w+)\)s"),
    _plain(r"\[%[ \t]*([\w.>-]+)[ \t]*%\]"),
    _plain(r"<%[=-]?[ \t]*@?([\w.]+)[ \t]*%>"),
    _plain(r"<((?i:unsubscribe|webversion|preferences))>"),
    _plain(rf"\[\[[ \t]*(\w+)[ \t]+(?i:or)[ \t]+{_QUOTED}[ \t]*\]\]"),
    _plain(r"\[(\w+)[ \t]*,[ \t]*(?i:fallback)[ \t]*=[ \t]*([^\]\n]*)\]"),
    _plain(r"\[(?:subscriber|link):(\w+)(?:[ \t]*\|[ \t]*default:([^\]\n]*))?\]"),
    _plain(r"(?<![!\]])\[([A-Z][A-Z0-9_ -]{2,40})(?:%%([^\]\n]*))?\](?![(\[:])", _bracketed),
    _plain(r"\{!(\w+\.\w+)\}"),
    _plain(r"(?<!\{)\$?\{\$?([A-Za-z_]\w*(?:\.\w+)+)\}(?!\})"),
    _plain(r"(?<!\{)(?:\$\{|\{\$)([A-Za-z_]\w*)\}(?!\})"),
    _plain(r'(?<![{$])\{([A-Za-z_]\w*)[ \t]*,[ \t]*"([^"\n]*)"\}(?!\})'),
    _plain(r"(?<![{$])\{([A-Za-z]\w{1,40})\}(?!\})", _known, is_sure=False),
)
