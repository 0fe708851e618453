"""What a provider tells of one letter, as what came back: whose letter it is, and what that counts for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from mailer.domain.bounce import Action, Reason, ReturnedFor, ReturnKind, Weight, weight_of
from mailer.domain.command_address import Command, parse_local_part
from mailer.domain.delivery_feedback import CameBack
from mailer.domain.site import House
from mailer.domain.token import Purpose, read_token
from mailer.errors import TokenRefused
from mailer.mail.bounces.address_extraction import address_in
from mailer.mail.bounces.classify_bounce import judged

OPT_OUT = "opt-out"
"""Who unsubscribes at the provider wants no more letters: it counts as a complaint of this type (RFC 6430)."""
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_LONGEST_ID = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class OfLetter:
    """Of which letter a provider speaks, as far as it says."""

    to: str
    senders: tuple[str, ...] = ()
    """What may be its MAIL FROM, ours if it is."""
    message_id: str = ""
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderClass:
    """What a provider's own classes say, beside the words of the mail system that refused."""

    certain: Reason | None = None
    """Whatever the words are."""
    otherwise: Reason | None = None
    """Where the words tell nothing."""
    mild: bool = False
    """The provider will try this address again: it is not held to be gone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Telling:
    """Who tells, and whose letters they are about."""

    provider: str
    house: House
    now: datetime

    def bounce(
        self, letter: OfLetter, said: str = "", status: str = "", *, notice: str = "", by: ProviderClass | None = None
    ) -> CameBack:
        """A letter that was given up: `said` by the mail system that refused it, `notice` by the provider."""
        address, by = address_in(letter.to), by or ProviderClass()
        code = status if _STATUS.fullmatch(status) else None
        told = judged(address=address or "", action=Action.FAILED, status=code, said=said, notice=notice)
        return self._came_back(letter, ReturnKind.BOUNCE, of=_classed(told, by))

    def complaint(self, letter: OfLetter, kind: str = "abuse") -> CameBack:
        """A person complains, or has unsubscribed (`OPT_OUT`)."""
        return self._came_back(letter, ReturnKind.COMPLAINT, complaint=kind.lower()[:40] or "abuse")

    def _came_back(
        self, letter: OfLetter, kind: ReturnKind, of: ReturnedFor | None = None, complaint: str | None = None
    ) -> CameBack:
        return CameBack(
            delivery_id=_delivery_of(self.house, letter.senders),
            address=address_in(letter.to),
            kind=kind,
            of=of,
            complaint=complaint,
            way=self.provider,
            message_id=letter.message_id[:_LONGEST_ID] or None,
            at=letter.at,
        )


def _classed(told: ReturnedFor, by: ProviderClass) -> ReturnedFor:
    reason = by.certain or (told.reason is Reason.UNCLEAR and by.otherwise) or told.reason
    weight = told.weight
    if reason is not told.reason:
        weight = weight_of(reason, told.action, temporary=False, late=False)
    if by.mild and weight is Weight.HARD:
        weight = Weight.SOFT
    return replace(told, reason=reason, weight=weight)


def _delivery_of(house: House, senders: Iterable[str]) -> int | None:
    """The delivery that a genuine return path of ours names."""
    for sender in senders:
        local, _, domain = (address_in(sender) or "").rpartition("@")
        named = parse_local_part(local)
        if domain.lower() != house.domain or named.command is not Command.RETURN_PATH or not named.token:
            continue
        try:
            return read_token(house.keyring, Purpose.RETURN_PATH, named.token)
        except TokenRefused:
            continue
    return None
