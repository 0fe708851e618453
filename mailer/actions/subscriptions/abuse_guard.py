"""The shield: whether a letter that anybody may have caused goes out, waits, or never was asked for."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.abuse_limits import (
    CHECK_INTERVAL,
    HOUR,
    MAX_DEFERRED_PER_MAILBOX,
    THROTTLED_FOR,
    CounterKind,
    RequestDecision,
    has_collapsed,
    letter_limits,
    response_window,
    source_network,
)
from mailer.domain.address import Address
from mailer.domain.delivery import Kind, Notice
from mailer.domain.mailing_list import MailingList
from mailer.store import consents, counters, locks, mailing_lists, subscriptions, suppressions
from mailer.store.locks import Lock
from mailer.store.queue import deliveries

_MAX_SAMPLED = 2000
"""Of so many strangers at most, the last ones, it is looked who confirmed."""


def may_send_auto_reply(
    tx: Connection, app: App, address: Address, *, authenticated: bool, source: str | None = None
) -> bool:
    """Whether a letter that anybody may have caused may go to this address now; it is counted when it may.

    One a day for each mailbox, over all lists and kinds of letters, and 20 for a sender whose domain stands behind
    the mail (`proven`); none to whoever never wants to be asked. `source` is the IP address the mail came from.
    """
    if not admits_request(tx, app, address, source=source, authenticated=authenticated):
        return False
    return _count_within_limits(tx, app, address, None, authenticated=authenticated)


def admits_request(tx: Connection, app: App, address: Address, *, source: str | None, authenticated: bool) -> bool:
    """Whether this source may ask for this address at all; counts its request. Our own addresses ask for nothing."""
    if address.domain == app.site.domain:
        return False
    if not authenticated and (network := source_network(source)) is not None:
        of = app.site.keyring.fingerprint("source", network)
        if counters.increment(tx, CounterKind.SOURCE, of, HOUR, app.clock()) > app.shield.per_source:
            return False
    return not has_opted_out(tx, app, address)


def has_opted_out(tx: Connection, app: App, address: Address) -> bool:
    """Whether this mailbox asked never to be asked again. That letters bounced there is no such wish."""
    key = app.site.keyring.suppression_key
    return suppressions.wants_no_mail(tx, {key(address.key), key(address.mailbox_key)})


def decide_request(
    tx: Connection, app: App, mailing_list: MailingList, address: Address, *, authenticated: bool, resend: bool
) -> RequestDecision:
    """What is done about an admitted request to join a list; a letter is counted where there is to be one.

    `second` asks for a letter once more that went out today. Proven senders are answered by quiet lists too.
    """
    answers = authenticated or not _is_throttled(tx, app, mailing_list)
    if answers and _count_within_limits(tx, app, address, mailing_list, authenticated=authenticated, resend=resend):
        return RequestDecision.SEND
    if subscriptions.count_deferred(tx, address.mailbox_key) >= MAX_DEFERRED_PER_MAILBOX:
        return RequestDecision.DROP
    put_off = counters.increment(tx, CounterKind.DEFERRED_REQUESTS, str(mailing_list.id), HOUR, app.clock())
    return RequestDecision.DEFER if put_off <= app.shield.per_list else RequestDecision.DROP


def reset_mailbox_limit(tx: Connection, app: App, address: Address) -> None:
    """The person at this address did what a letter of ours asked: it was no nuisance, and does not count as one."""
    counters.reset(tx, CounterKind.MAILBOX, _mailbox_fingerprint(app, address))


def count_letter(tx: Connection, app: App, address: Address) -> None:
    """One more letter goes to this address for a stranger's request, whatever the limits."""
    of = letter_limits(
        app.shield,
        mailbox=_mailbox_fingerprint(app, address),
        domain=address.domain,
        list_name=None,
        authenticated=False,
    )
    for limit in of:
        counters.increment(tx, limit.kind, limit.subject, limit.window, app.clock())


def _count_within_limits(
    tx: Connection,
    app: App,
    address: Address,
    mailing_list: MailingList | None,
    *,
    authenticated: bool,
    resend: bool = False,
) -> bool:
    limits = letter_limits(
        app.shield,
        mailbox=_mailbox_fingerprint(app, address),
        domain=address.domain,
        list_name=mailing_list.name if mailing_list else None,
        authenticated=authenticated,
        resend=resend,
    )
    return counters.increment_within_limits(tx, limits, app.clock())


def _mailbox_fingerprint(app: App, address: Address) -> str:
    return app.site.keyring.fingerprint("mailbox", address.mailbox_key)


def _is_throttled(tx: Connection, app: App, mailing_list: MailingList) -> bool:
    """Whether the list answers no strangers; looked at anew, every few minutes, when one asks."""
    now = app.clock()
    if mailing_list.is_throttled(now):
        return True
    if not locks.acquire(tx, Lock.CHECK, str(mailing_list.id), CHECK_INTERVAL, now):
        return False
    since, until = response_window(mailing_list.quiet_until, now)
    asked, confirmed = consents.count_asked_and_confirmed(tx, mailing_list.id, since, until, _MAX_SAMPLED)
    if not has_collapsed(app.shield, asked=asked, confirmed=confirmed):
        return False
    mailing_lists.set_throttled_until(tx, mailing_list.id, now + THROTTLED_FOR)
    deliveries.add_notice(tx, _throttled_notice(app, mailing_list, asked, confirmed), now)
    return True


def _throttled_notice(app: App, mailing_list: MailingList, asked: int, confirmed: int) -> Notice:
    values = {"asked": asked, "confirmed": confirmed}
    cause = f"quiet {mailing_list.id} {app.clock().date()}"
    return app.notice_to_owner(Kind.LIST_THROTTLED, mailing_list, values, cause)
