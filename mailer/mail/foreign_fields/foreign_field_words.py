"""What the fields of other services stand for, and how a campaign file says the same."""

from __future__ import annotations

import re

_NAMES = frozenset(
    ["name", "fname", "firstname", "fullname", "vorname", "prenom", "nombre", "nome", "isim", "firstnameorfriend"]
)
_LAST_NAMES = frozenset(["lname", "lastname", "surname", "nachname"])
_LANGUAGES = frozenset(["lang", "language", "locale"])
_ADDRESSES = frozenset(["email", "emailaddress", "emailaddr", "mail"])
_VIEW = frozenset(["archive", "mirror", "webversion", "webview", "messageurl", "viewinbrowser", "onlineversion"])
_TRACKING = frozenset(["tracklink", "trackview", "usertrack"])
_LEAVE = re.compile(
    r"(?:mailinglist|tag|subscription|link|asmgroup|asm)*unsub(?:scribe)?(?:url|link|email|rawurl|ed)?"
    r"|optout\w*|(?:manage)?preferences(?:url)?|manage(?:subscription)?url"
)
_SEPARATORS = re.compile(r"[\W_]+")
_PATH = re.compile(r"(?:->|[.:])")


def our_name(field: str) -> str:
    """Our name of the value that a field such as `.Subscriber.Attribs.city` or `FIRST NAME` means."""
    last = _PATH.split(field.strip())[-1]
    word = _normalize(last)
    if word in _NAMES:
        return "name"
    if word in _LAST_NAMES:
        return "last_name"
    return "language" if word in _LANGUAGES else _SEPARATORS.sub("_", last.strip()).strip("_").lower() or "name"


def is_known_word(field: str) -> bool:
    """Whether this can hardly be anything but a merge field, even where it is only a word in brackets."""
    word = _normalize(field)
    return word in _NAMES | _LAST_NAMES | _ADDRESSES | _VIEW or _LEAVE.fullmatch(word) is not None


def advice_for(field: str, fallback: str | None = None) -> str:
    """What to write instead of a field, with its own fallback where it had one."""
    word = _normalize(_PATH.split(field.strip())[-1])
    if word in _ADDRESSES:
        return "a letter does not say its reader's address; leave it out"
    if _LEAVE.fullmatch(word):
        return "every letter ends with its reader's own link to leave; leave it out"
    if word in _VIEW:
        return "the link to read a letter in the browser comes by itself where its list has an archive; leave it out"
    if word in _TRACKING:
        return "letters are not tracked; write the link itself, [words](https://...)"
    name = our_name(field)
    given = (fallback or "").strip().strip("\"'").replace('"', "'").replace("{", "").replace("}", "")
    usual = "there" if name == "name" else "..."
    return f'write {{{{ {name} or "{given or usual}" }}}}'


def _normalize(word: str) -> str:
    return _SEPARATORS.sub("", word).lower()
