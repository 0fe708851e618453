"""Signing in without a password: by a link or a code from a letter, or by a link that a command printed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mailer.domain.keyring import Keyring

LETTER_LIFETIME = timedelta(minutes=15)
"""How long the link and the code of a letter are good."""
LINK_LIFETIME = timedelta(hours=1)
"""How long a link is good that a command or the service's start printed."""
MOST_TRIES = 5
"""So often a code may be typed for one letter; then only its link is left."""
CODE_LENGTH = 8
# No vowels, so that no code is a word; nothing that looks like a digit.
_CODE_LETTERS = "BCDFGHJKMNPQRSTVWXYZ"
_NO_PART_OF_A_CODE = re.compile(r"[\s\-‐‑‒–—._]+")
_OWN_PATH = re.compile(r"/console(?:[/?][\w\-./?&=%~+,:@]*)?", re.ASCII)
_MOST_PATH = 500


class SignInWay(StrEnum):
    """How a sign-in began."""

    LETTER = "letter"
    """Somebody gave an address on the sign-in page; the letter's link and code count in that browser only."""
    COMMAND = "command"
    """`mailer organiser login` printed a link."""
    SET_UP = "set-up"
    """The service, which had no organiser yet, printed a link that makes the first owner."""


class SignInState(StrEnum):
    """What is true of a sign-in by letter."""

    OPEN = "open"
    """Its link and its code are good."""
    LINK_ONLY = "link only"
    """Too many wrong codes were typed; its link is good."""
    USED = "used"
    OVER = "over"
    """It is too old."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignIn:
    """One way in, which can be used once."""

    id: int
    way: SignInWay
    organiser_id: int | None
    """None where nobody has the address that was given, and for SET_UP."""
    browser_hash: str | None
    """The hash of the word in the browser's cookie; None where any browser will do."""
    next_path: str | None
    """The page of the console that was asked for before."""
    tries: int
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None

    def is_good(self, now: datetime) -> bool:
        """Whether it can still be used."""
        return self.used_at is None and now < self.expires_at

    def state(self, now: datetime) -> SignInState:
        """Its state at this time."""
        if self.used_at is not None:
            return SignInState.USED
        if self.expires_at <= now:
            return SignInState.OVER
        return SignInState.OPEN if self.tries < MOST_TRIES else SignInState.LINK_ONLY


@dataclass(frozen=True, slots=True)
class LetterSecrets:
    """What a sign-in letter tells its reader."""

    link_word: str
    """32 hex digits, the last part of the link."""
    code: str
    """CODE_LENGTH letters."""


def letter_secrets(keyring: Keyring, nonce: str) -> LetterSecrets:
    """The link and the code of the letter with this nonce.

    Only the nonce is in the database, so that whoever reads it, or a backup of it, cannot sign in: the pepper is not
    there.
    """
    number = int(keyring.fingerprint("sign-in code", nonce), 16)
    letters = []
    for _ in range(CODE_LENGTH):
        number, place = divmod(number, len(_CODE_LETTERS))
        letters.append(_CODE_LETTERS[place])
    return LetterSecrets(keyring.fingerprint("sign-in link", nonce), "".join(letters))


def sign_in_cause(sign_in_id: int) -> str:
    """The cause of the letter of a sign-in."""
    return f"sign-in {sign_in_id}"


def hash_code(keyring: Keyring, sign_in_id: int, code: str) -> str:
    """The hash of a code for one sign-in. It is keyed, since there are few enough codes to try them all."""
    return keyring.fingerprint("sign-in code hash", f"{sign_in_id} {code}")


def show_code(code: str) -> str:
    """The code as a letter shows it: BCDF-GHJK."""
    return f"{code[: CODE_LENGTH // 2]}-{code[CODE_LENGTH // 2 :]}"


def parse_code(text: str) -> str | None:
    """The code that somebody typed, whatever its case, spaces and hyphens; None for what cannot be one."""
    if len(text) > 100:
        return None
    code = _NO_PART_OF_A_CODE.sub("", unicodedata.normalize("NFKC", text)).upper()
    return code if len(code) == CODE_LENGTH and set(code) <= set(_CODE_LETTERS) else None


def parse_next_path(text: str | None) -> str | None:
    """The path if it is one of the console's pages, to be shown after signing in; None for anything else."""
    if text is None or len(text) > _MOST_PATH or not _OWN_PATH.fullmatch(text) or "//" in text or ".." in text:
        return None
    return text
