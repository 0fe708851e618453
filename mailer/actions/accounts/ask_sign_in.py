"""Ask for a letter to sign in with. What the asker sees does not show whose addresses are organisers'."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.abuse_limits import (
    HOUR,
    MAX_SIGN_INS_PER_ADDRESS,
    MAX_SIGN_INS_PER_SOURCE,
    CounterKind,
    Limit,
    source_network,
)
from mailer.domain.accounts.secret_word import WORD_OCTETS, is_word, make_word
from mailer.domain.accounts.sign_in import SignIn, SignInState, SignInWay, hash_code, letter_secrets, sign_in_cause
from mailer.domain.address import Address
from mailer.domain.delivery import Kind, Notice
from mailer.errors import SignInRefused
from mailer.store import counters
from mailer.store.accounts import organisers, sign_ins
from mailer.store.queue import lane_holds, unrendered_notices
from mailer.store.queue.deliveries import add_notice

_NONCE_OCTETS = 16
_HANDED_AFTER = timedelta(seconds=10)
"""A letter of a service that works is with the relay by then."""


@dataclass(frozen=True, slots=True)
class SignInRequest:
    """A request that was noted; `queue_sign_in_letter` answers it."""

    id: int
    address: Address
    browser: str
    """The word for the browser's cookie, which binds link and code to it."""


class RelayState(StrEnum):
    """What is known of letters that wait for a relay, whoever they are for."""

    WAITING = "waiting"
    """Not all letters that were asked for by then are handed to a relay."""
    STOPPED = "stopped"
    """No relay takes letters for now."""
    HANDED = "handed"
    """No letter that was asked for by then still waits for its first try."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignInProgress:
    """What a browser that asked may know."""

    sign_in: SignIn
    state: SignInState
    relay: RelayState
    relay_stopped_until: datetime | None
    """When a relay is tried again, for STOPPED."""


async def ask_sign_in(
    app: App, address: Address, *, browser: str, source: str | None, next_path: str | None
) -> SignInRequest:
    """Note that a browser asks for a letter to this address, and count it.

    The same is done for every address, in the same time: only `queue_sign_in_letter`, which runs once the browser has
    its answer, looks whether it is an organiser's. `browser` is the word of the browser's cookie, or anything else
    where it has none yet. Raises SignInRefused above the limits of an hour, whosever the address is.
    """
    word, now = browser if is_word(browser) else make_word(app.secret_octets(WORD_OCTETS)), app.clock()

    def work(tx: Connection) -> int:
        limits = _limits(app, address, source)
        if not counters.increment_within_limits(tx, limits, now):
            raise SignInRefused("too many letters were asked for within an hour; wait, or ask whoever runs the machine")
        return sign_ins.add_for_browser(tx, browser=word, next_path=next_path, now=now)

    return SignInRequest(await app.database.write(work), address, word)


async def queue_sign_in_letter(app: App, request: SignInRequest) -> bool:
    """Queue the letter if the address is an organiser's; returns whether it is.

    Bounces and pauses do not stop the letter; other suppressions for all lists do: `mailer organiser login` is the way
    then.
    """
    nonce, now = app.secret_octets(_NONCE_OCTETS).hex(), app.clock()
    secrets = letter_secrets(app.site.keyring, nonce)

    def work(tx: Connection) -> bool:
        organiser = organisers.find_by_address(tx, request.address.key)
        if organiser is None:
            return False
        code_hash = hash_code(app.site.keyring, request.id, secrets.code)
        sign_ins.set_letter(tx, request.id, organiser_id=organiser.id, link_word=secrets.link_word, code_hash=code_hash)
        notice = Notice(
            kind=Kind.SIGN_IN,
            address=organiser.address,
            suppression_key=app.site.keyring.suppression_key(request.address.key),
            language=app.language(organiser.language),
            values={"nonce": nonce},
            cause=sign_in_cause(request.id),
        )
        return add_notice(tx, notice, now)

    return await app.database.write(work)


async def show_progress(app: App, browser: str) -> SignInProgress | None:
    """What became of what this browser asked for last; None where it asked for nothing.

    It says nothing about the letter itself, which exists for organisers' addresses only, but what holds for all
    letters: a stranger learns no more than that the service can send.
    """
    if not is_word(browser):
        return None
    now = app.clock()

    def work(tx: Connection) -> SignInProgress | None:
        sign_in = sign_ins.find_newest_of_browser(tx, browser)
        if sign_in is None or sign_in.way is not SignInWay.LETTER:
            return None
        stopped_until = _all_relays_held_until(tx, app, now)
        oldest = unrendered_notices.oldest_untried(tx, Kind.SIGN_IN)
        if stopped_until is not None:
            relay = RelayState.STOPPED
        elif now < sign_in.created_at + _HANDED_AFTER or (oldest is not None and oldest <= sign_in.created_at):
            relay = RelayState.WAITING
        else:
            relay = RelayState.HANDED
        return SignInProgress(sign_in=sign_in, state=sign_in.state(now), relay=relay, relay_stopped_until=stopped_until)

    return await app.database.read(work)


def _all_relays_held_until(tx: Connection, app: App, now: datetime) -> datetime | None:
    holds = lane_holds.holds_by_lane(tx)
    found = [holds.get(f"relay {relay}") for relay in app.relays]
    held = [one.until for one in found if one is not None and one.until > now]
    return min(held) if held and len(held) == len(app.relays) else None


def _limits(app: App, address: Address, source: str | None) -> list[Limit]:
    keyring = app.site.keyring
    of_address = Limit(
        kind=CounterKind.SIGN_IN_ADDRESS,
        subject=keyring.fingerprint("sign-in address", address.mailbox_key),
        window=HOUR,
        maximum=MAX_SIGN_INS_PER_ADDRESS,
    )
    return [*source_limit(app, source), of_address]


def source_limit(app: App, source: str | None) -> list[Limit]:
    """The limit of requests to sign in from one network; none for this machine, which a proxy may look like."""
    if (network := source_network(source)) is None:
        return []
    subject = app.site.keyring.fingerprint("source", network)
    maximum = MAX_SIGN_INS_PER_SOURCE
    return [Limit(kind=CounterKind.SIGN_IN_SOURCE, subject=subject, window=HOUR, maximum=maximum)]
