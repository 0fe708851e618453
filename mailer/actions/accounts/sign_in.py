"""Sign in: by a letter's link or code, by a link that a command printed, or by the link that sets the site up."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from mailer.actions.accounts.ask_sign_in import source_limit
from mailer.actions.accounts.organiser_fields import check_language, check_name, check_organiser_address, check_zone
from mailer.actions.accounts.sessions import begin_session
from mailer.app import App
from mailer.domain.accounts.actor import Actor, Door
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.organiser import SITE_OWNER, OrganiserSession
from mailer.domain.accounts.role import Permission
from mailer.domain.accounts.secret_word import WORD_OCTETS, hash_word, make_word
from mailer.domain.accounts.sign_in import SignIn, SignInWay, hash_code, parse_code
from mailer.domain.address import parse_address
from mailer.errors import NotFound, SignInRefused, SignInSpent, WrongBrowser
from mailer.store import counters
from mailer.store.accounts import audit_log, organisers, sign_ins

_MOST_WORD = 64
_IS_SPENT = "this link was used, is too old, or was replaced by a newer one"
_IS_SET_UP = "this link was used or is too old, or the site is set up already; sign in by letter, or ask for a link"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was opened, and what its browser is to be given."""

    session: OrganiserSession
    cookie: str
    next_path: str | None
    """The page of the console that was asked for before, if any."""


async def make_sign_in_link(app: App, actor: Actor, address: str) -> str:
    """A link with which whoever opens it within an hour signs in once as this organiser; the last one made ends.

    Only for site owners. Raises NotPermitted and NotFound.
    """
    actor.require(Permission.MANAGE_SITE)
    word, now = make_word(app.secret_octets(WORD_OCTETS)), app.clock()

    def work(tx: Connection) -> None:
        if (organiser := organisers.find_by_address(tx, parse_address(address).key)) is None:
            raise NotFound(f"{address} is no organiser here; `mailer organiser add` makes one")
        sign_ins.add_link(tx, SignInWay.COMMAND, word, organiser.id, now)
        subject, after = f"organiser {organiser.id}", {"address": organiser.address}
        audit_log.record(tx, actor, Act.MAKE_SIGN_IN_LINK, subject=subject, after=after, now=now)

    await app.database.write(work)
    return f"{app.site.url}/console/sign-in/link/{word}"


async def make_set_up_link(app: App) -> str | None:
    """A link with which whoever opens it within an hour becomes the first owner of the site; the last one made ends.

    None where there is an organiser already.
    """
    word, now = make_word(app.secret_octets(WORD_OCTETS)), app.clock()

    def work(tx: Connection) -> bool:
        if organisers.exist(tx):
            return False
        sign_ins.add_link(tx, SignInWay.SET_UP, word, None, now)
        return True

    return f"{app.site.url}/console/set-up/{word}" if await app.database.write(work) else None


async def check_link(app: App, word: str, browser: str) -> SignIn:
    """The sign-in of a link that can still be used; nothing is used up, so that a scanner may look.

    Raises SignInSpent where it cannot, and WrongBrowser where another browser asked for it.
    """
    return await app.database.read(_check_link, word, browser, app.clock())


async def check_set_up_link(app: App, word: str) -> None:
    """Nothing happens if somebody can still be made the first owner with this link. Raises SignInSpent otherwise."""
    await app.database.read(_check_set_up, word, app.clock())


async def sign_in_by_link(app: App, word: str, browser: str, *, device: str) -> SignedIn:
    """Use a letter's or a command's link up and open a session. Raises SignInSpent and WrongBrowser."""
    cookie, now = make_word(app.secret_octets(WORD_OCTETS)), app.clock()

    def work(tx: Connection) -> SignedIn:
        return _open(tx, _check_link(tx, word, browser, now), cookie, device, now)

    return await app.database.write(work)


async def sign_in_by_code(app: App, code: str, browser: str, *, device: str, source: str | None) -> SignedIn:
    """Use up the letter whose code was typed in the browser that asked for it, and open a session.

    A code may be typed MOST_TRIES times for each letter. Raises SignInRefused for a wrong code, one that comes too
    late or too often, and where too many requests came from this source.
    """
    typed = parse_code(code)
    if typed is None:
        raise SignInRefused("a code has eight letters, such as BCDF-GHJK; there are no vowels and no digits in it")
    cookie, now = make_word(app.secret_octets(WORD_OCTETS)), app.clock()

    def work(tx: Connection) -> SignedIn | None:
        if not counters.increment_within_limits(tx, source_limit(app, source), now):
            raise SignInRefused("too many codes were typed from here within an hour; open the letter's link instead")
        for sign_in, code_hash in sign_ins.count_try(tx, browser, now):
            expected = hash_code(app.site.keyring, sign_in.id, typed)
            if code_hash is not None and hmac.compare_digest(code_hash, expected):
                return _open(tx, sign_in, cookie, device, now)
        return None

    # A wrong code is counted, so it is an answer of the transaction, not an exception that would take it back.
    if (signed_in := await app.database.write(work)) is None:
        raise SignInRefused("that is not the code of a letter that this browser asked for within the last 15 minutes")
    return signed_in


async def set_up(
    app: App, word: str, *, address: str, name: str | None, speaks: str, zone: str, device: str
) -> SignedIn:
    """Make the first owner of the site, who is signed in. The link is used up.

    Raises SignInSpent where the link is, or where there is an organiser by now; AddressRefused, OrganiserRefused and
    TimeRefused for what was filled in, and then the link stays.
    """
    email = check_organiser_address(address, app.site.domain)
    full_name, tag, zone_name = check_name(name), check_language(speaks), check_zone(zone)
    cookie, now = make_word(app.secret_octets(WORD_OCTETS)), app.clock()

    def work(tx: Connection) -> SignedIn:
        # Used first: on PostgreSQL a second use waits here for the first.
        if not sign_ins.use(tx, _check_set_up(tx, word, now).id, now) or organisers.exist(tx):
            raise SignInSpent(_IS_SET_UP)
        organiser_id, _ = organisers.add(tx, email, name=full_name, language=tag, zone=zone_name, now=now)
        organisers.add_grant(tx, organiser_id, SITE_OWNER)
        owner = Actor(name=email.addr_spec, door=Door.CONSOLE, grants=(SITE_OWNER,), organiser_id=organiser_id)
        after = {"address": email.addr_spec, "roles": [str(SITE_OWNER.role)]}
        audit_log.record(tx, owner, Act.ADD_ORGANISER, subject=f"organiser {organiser_id}", after=after, now=now)
        session = begin_session(tx, organiser_id, cookie=cookie, device=device, now=now)
        return SignedIn(session, cookie, None)

    return await app.database.write(work)


def _check_link(tx: Connection, word: str, browser: str, now: datetime) -> SignIn:
    sign_in = sign_ins.find_by_link(tx, word) if len(word) <= _MOST_WORD else None
    if sign_in is None or sign_in.way is SignInWay.SET_UP or not sign_in.is_good(now):
        raise SignInSpent(_IS_SPENT)
    if sign_in.way is SignInWay.LETTER and sign_in.browser_hash != hash_word(browser):
        raise WrongBrowser("this link works in the browser that asked for it; type the code of the letter there")
    return sign_in


def _check_set_up(tx: Connection, word: str, now: datetime) -> SignIn:
    sign_in = sign_ins.find_by_link(tx, word) if len(word) <= _MOST_WORD else None
    if sign_in is None or sign_in.way is not SignInWay.SET_UP or not sign_in.is_good(now) or organisers.exist(tx):
        raise SignInSpent(_IS_SET_UP)
    return sign_in


def _open(tx: Connection, sign_in: SignIn, cookie: str, device: str, now: datetime) -> SignedIn:
    """Use a sign-in up, with whatever else its browser asked for, and open a session."""
    if sign_in.organiser_id is None or not sign_ins.use(tx, sign_in.id, now):
        raise SignInSpent(_IS_SPENT)
    if sign_in.browser_hash is not None:
        sign_ins.use_all_of_browser(tx, sign_in.browser_hash, now)
    session = begin_session(tx, sign_in.organiser_id, cookie=cookie, device=device, now=now)
    return SignedIn(session, cookie, sign_in.next_path)
