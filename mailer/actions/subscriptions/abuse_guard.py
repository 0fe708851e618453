"""The abuse guard: decides whether a request may cause a letter, is deferred, or is dropped, and counts letters."""

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
from mailer.domain.imports.legacy_list import find_own_address
from mailer.domain.mailing_list import MailingList
from mailer.store import consents, counters, locks, mailing_lists, subscription_requests, suppressions
from mailer.store.locks import Lock
from mailer.store.queue import deliveries

_MAX_SAMPLED = 2000
"""The most requests, of the latest, by which the share of confirmed ones is judged."""


def may_send_auto_reply(
    tx: Connection, app: App, address: Address, *, authenticated: bool, source: str | None = None
) -> bool:
    """Whether an automatic letter may be sent to this address now; if so it is counted.

    One a day to a mailbox, over all lists and kinds of letters; 20 to an authenticated sender; none to a mailbox that
    has opted out. `source` is the IP address from which the mail came.
    """
    if not admits_request(tx, app, address, source=source, authenticated=authenticated):
        return False
    return _count_within_limits(tx, app, address, None, authenticated=authenticated)


def admits_request(tx: Connection, app: App, address: Address, *, source: str | None, authenticated: bool) -> bool:
    """Whether a request from this source for this address is considered at all; it is counted for the source.

    Requests for addresses of ours, old ones too, are refused, and those for mailboxes that have opted out.
    """
    if address.domain == app.site.domain or find_own_address(address.addr_spec, app.site.domain, app.legacy_lists):
        return False
    if not authenticated and (network := source_network(source)) is not None:
        subject = app.site.keyring.fingerprint("source", network)
        if counters.increment(tx, CounterKind.SOURCE, subject, HOUR, app.clock()) > app.shield.per_source:
            return False
    return not has_opted_out(tx, app, address)


def has_opted_out(tx: Connection, app: App, address: Address) -> bool:
    """Whether this mailbox is suppressed for all lists, for any reason but bounces and pauses."""
    key = app.site.keyring.suppression_key
    return suppressions.wants_no_mail(tx, {key(address.key), key(address.mailbox_key)})


def decide_request(
    tx: Connection, app: App, mailing_list: MailingList, address: Address, *, authenticated: bool, resend: bool
) -> RequestDecision:
    """Decide about an admitted request to join a list; for SEND the letter is counted.

    `resend` asks for the letter of today once more. A throttled list still answers authenticated senders.
    """
    may_send = authenticated or not _is_throttled(tx, app, mailing_list)
    if may_send and _count_within_limits(tx, app, address, mailing_list, authenticated=authenticated, resend=resend):
        return RequestDecision.SEND
    if subscription_requests.count_deferred(tx, address.mailbox_key) >= MAX_DEFERRED_PER_MAILBOX:
        return RequestDecision.DROP
    deferred = counters.increment(tx, CounterKind.DEFERRED_REQUESTS, str(mailing_list.id), HOUR, app.clock())
    return RequestDecision.DEFER if deferred <= app.shield.per_list else RequestDecision.DROP


def reset_mailbox_limit(tx: Connection, app: App, address: Address) -> None:
    """Forget today's letters to this mailbox, since the person acted on one: they were wanted."""
    counters.reset(tx, CounterKind.MAILBOX, _mailbox_fingerprint(app, address))


def count_letter(tx: Connection, app: App, address: Address) -> None:
    """Count a letter to this address for an unauthenticated request, even beyond the limits."""
    limits = letter_limits(
        app.shield,
        mailbox=_mailbox_fingerprint(app, address),
        domain=address.domain,
        list_name=None,
        authenticated=False,
    )
    for limit in limits:
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
    """Whether the list is throttled. It is judged at most every CHECK_INTERVAL; throttling sends its owner a notice."""
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
