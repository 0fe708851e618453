"""The shield: whether a letter that anybody may have caused goes out, waits, or never was asked for."""

from __future__ import annotations

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.abuse_limits import (
    HELD_PER_MAILBOX,
    HOUR,
    LOOK_EVERY,
    QUIET_FOR,
    Counted,
    Ruling,
    has_collapsed,
    judged_between,
    letter_limits,
    source_network,
)
from mailer.domain.address import Address
from mailer.domain.delivery import Kind, Notice
from mailer.domain.mailing_list import MailingList
from mailer.store import consents, counters, mailing_lists, subscriptions, suppressions
from mailer.store.queue import deliveries

_JUDGED_MOST = 2000
"""Of so many strangers at most, the last ones, it is looked who confirmed."""


def may_write_to_stranger(
    tx: Connection, app: App, address: Address, *, proven: bool, source: str | None = None
) -> bool:
    """Whether a letter that anybody may have caused may go to this address now; it is counted when it may.

    One a day for each mailbox, over all lists and kinds of letters, and 20 for a sender whose domain stands behind
    the mail (`proven`); none to whoever never wants to be asked. `source` is the IP address the mail came from.
    """
    if not admits(tx, app, address, source=source, proven=proven):
        return False
    return _has_room(tx, app, address, None, proven=proven)


def admits(tx: Connection, app: App, address: Address, *, source: str | None, proven: bool) -> bool:
    """Whether this source may ask for this address at all; counts its request. Our own addresses ask for nothing."""
    if address.domain == app.house.domain:
        return False
    if not proven and (network := source_network(source)) is not None:
        of = app.house.keyring.fingerprint("source", network)
        if counters.count(tx, Counted.SOURCE, of, HOUR, app.clock()) > app.shield.per_source:
            return False
    return not wants_nothing(tx, app, address)


def wants_nothing(tx: Connection, app: App, address: Address) -> bool:
    """Whether this mailbox asked never to be asked again. That letters bounced there is no such wish."""
    key = app.house.keyring.suppression_key
    return suppressions.unwanted(tx, {key(address.key), key(address.mailbox_key)})


def rule(
    tx: Connection, app: App, mailing_list: MailingList, address: Address, *, proven: bool, second: bool
) -> Ruling:
    """What is done about an admitted request to join a list; a letter is counted where there is to be one.

    `second` asks for a letter once more that went out today. Proven senders are answered by quiet lists too.
    """
    answers = proven or not _is_quiet(tx, app, mailing_list)
    if answers and _has_room(tx, app, address, mailing_list, proven=proven, second=second):
        return Ruling.WRITE
    if subscriptions.held(tx, address.mailbox_key) >= HELD_PER_MAILBOX:
        return Ruling.DROP
    put_off = counters.count(tx, Counted.HELD, str(mailing_list.id), HOUR, app.clock())
    return Ruling.HOLD if put_off <= app.shield.per_list else Ruling.DROP


def note_answer(tx: Connection, app: App, address: Address) -> None:
    """The person at this address did what a letter of ours asked: it was no nuisance, and does not count as one."""
    counters.forget(tx, Counted.MAILBOX, _mailbox(app, address))


def note_letter(tx: Connection, app: App, address: Address) -> None:
    """One more letter goes to this address for a stranger's request, whatever the limits."""
    of = letter_limits(app.shield, mailbox=_mailbox(app, address), domain=address.domain, list_name=None, proven=False)
    for limit in of:
        counters.count(tx, limit.kind, limit.of, limit.span, app.clock())


def _has_room(
    tx: Connection,
    app: App,
    address: Address,
    mailing_list: MailingList | None,
    *,
    proven: bool,
    second: bool = False,
) -> bool:
    limits = letter_limits(
        app.shield,
        mailbox=_mailbox(app, address),
        domain=address.domain,
        list_name=mailing_list.name if mailing_list else None,
        proven=proven,
        second=second,
    )
    return counters.count_within(tx, limits, app.clock())


def _mailbox(app: App, address: Address) -> str:
    return app.house.keyring.fingerprint("mailbox", address.mailbox_key)


def _is_quiet(tx: Connection, app: App, mailing_list: MailingList) -> bool:
    """Whether the list answers no strangers; looked at anew, every few minutes, when one asks."""
    now = app.clock()
    if mailing_list.is_quiet(now):
        return True
    if counters.count(tx, Counted.LOOKED, str(mailing_list.id), LOOK_EVERY, now) > 1:
        return False
    since, until = judged_between(mailing_list.quiet_until, now)
    asked, confirmed = consents.response(tx, mailing_list.id, since, until, _JUDGED_MOST)
    if not has_collapsed(app.shield, asked=asked, confirmed=confirmed):
        return False
    mailing_lists.quieten(tx, mailing_list.id, now + QUIET_FOR)
    deliveries.add_notice(tx, _told(app, mailing_list, asked, confirmed), now)
    return True


def _told(app: App, mailing_list: MailingList, asked: int, confirmed: int) -> Notice:
    return Notice(
        kind=Kind.QUIET,
        address=mailing_list.owner,
        suppression_key="",  # who answers for a list cannot stop hearing of it
        language=app.language(mailing_list.language),
        mailing_list_id=mailing_list.id,
        values={"asked": asked, "confirmed": confirmed},
        cause=f"quiet {mailing_list.id} {app.clock().date()}",
    )
