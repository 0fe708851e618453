"""Add a mailing list, and change its texts, zone, limits, testers and the rules for its campaigns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import Act
from mailer.domain.accounts.role import Permission
from mailer.domain.address import parse_address
from mailer.domain.language import parse_language
from mailer.domain.local_time import parse_zone
from mailer.domain.mailing_list import (
    MailingList,
    check_archive_mode,
    check_bounce_limit,
    check_list_name,
    check_postal_address,
    check_reason,
)
from mailer.errors import AddressRefused, ListNameRefused, MailerError
from mailer.mail.dynamic.list_segments import check_segments, merge_segments
from mailer.store import mailing_lists
from mailer.store.accounts import audit_log

MAX_TESTERS = 50


async def add_list(
    app: App,
    actor: Actor,
    *,
    name: str,
    title: str,
    owner: str,
    description: str = "",
    language: str = "en",
    zone: str = "UTC",
    postal_address: str = "",
    reason: str = "",
) -> MailingList:
    """Add a list; its addresses work at once.

    Raises NotPermitted unless the actor manages the site; ListNameRefused for a name that is malformed or would shadow
    a command address, and for a bad language or title; AddressRefused for the owner's address, TimeRefused for the
    zone, ListFooterRefused for the postal address or reason, AlreadyExists where there is a list of that name.
    """
    actor.require(Permission.MANAGE_SITE)
    given = {
        "title": title,
        "description": description,
        "language": language,
        "owner": owner,
        "zone": zone,
        "postal_address": postal_address,
        "reason": reason,
    }
    checks = _checks(app)
    checks["name"](name)
    values = {field: checks[field](value) for field, value in given.items()}

    def work(tx: Connection) -> MailingList:
        added = mailing_lists.add(tx, name=name, now=app.clock(), **values)
        _record(tx, app, actor, Act.ADD_LIST, added, after=_describe(added))
        return added

    return await app.database.write(work)


async def set_list(
    app: App,
    actor: Actor,
    name: str,
    *,
    title: str | None = None,
    description: str | None = None,
    owner: str | None = None,
    language: str | None = None,
    zone: str | None = None,
    testers: Sequence[str] | None = None,
    needs_approval: bool | None = None,
    hard_after: int | None = None,
    soft_limit: int | None = None,
    postal_address: str | None = None,
    reason: str | None = None,
    archive: str | None = None,
    segments: Mapping[str, str] | None = None,
) -> MailingList:
    """Change a list; None leaves a value as it is, "" removes the description, postal address or reason.

    The limits hold for bounces from now on, the footer for campaigns launched from now on, the archive at once for all
    that were sent. `segments` are conditions by name, which take the place of those of the same names; an empty one
    removes it. Raises NotFound, NotPermitted unless the actor manages the list, and as `add_list` does;
    ListLimitRefused for a limit, ListDesignRefused for what is no ArchiveMode or no condition.
    """
    given = {field: value for field, value in locals().items() if field not in {"app", "actor", "name"}}
    return await app.database.write(_change, app, actor, name, given)


def find_bad_fields(app: App, given: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields (of `add_list` and `set_list`) whose values cannot be a list's, in their order."""
    checks, bad = _checks(app), []
    for field, value in given.items():
        try:
            checks[field](value)
        except MailerError:
            bad.append(field)
    return tuple(bad)


def _checks(app: App) -> dict[str, Callable[[Any], Any]]:
    """By field: what turns a given value into a list's, or raises."""
    return {
        "name": check_list_name,
        "title": _check_title,
        "description": _check_description,
        "owner": lambda text: _check_owner(app, text),
        "language": _check_language,
        "zone": lambda text: parse_zone(text).key,
        "testers": _check_testers,
        "needs_approval": bool,
        "hard_after": check_bounce_limit,
        "soft_limit": check_bounce_limit,
        "postal_address": check_postal_address,
        "reason": check_reason,
        "archive": check_archive_mode,
        "segments": check_segments,
    }


def _change(tx: Connection, app: App, actor: Actor, name: str, given: Mapping[str, Any]) -> MailingList:
    present = mailing_lists.get_by_name(tx, name)
    actor.require(Permission.MANAGE_LIST, present.id)
    checks = _checks(app)
    values = {field: checks[field](value) for field, value in given.items() if value is not None}
    if "segments" in values:
        values["segments"] = merge_segments(present.segments, values["segments"])
    mailing_lists.change(tx, present.id, values)
    changed = mailing_lists.get(tx, present.id)
    before, after = _describe(present), _describe(changed)
    differs = [field for field in after if before[field] != after[field]]
    if differs:
        before, after = ({field: values[field] for field in differs} for values in (before, after))
        _record(tx, app, actor, Act.CHANGE_LIST, changed, before=before, after=after)
    return changed


def _record(
    tx: Connection,
    app: App,
    actor: Actor,
    act: Act,
    mailing_list: MailingList,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any],
) -> None:
    audit_log.record(
        tx,
        actor,
        act,
        subject=f"list {mailing_list.name}",
        mailing_list_id=mailing_list.id,
        before=before,
        after=after,
        now=app.clock(),
    )


def _describe(mailing_list: MailingList) -> dict[str, Any]:
    """The list as the audit log has it: testers by number, for they may be readers, too."""
    values = asdict(mailing_list) | {"testers": len(mailing_list.testers)}
    return {key: value for key, value in values.items() if key not in {"id", "name", "quiet_until"}}


def _check_title(title: str) -> str:
    if not title.strip() or not title.isprintable():
        raise ListNameRefused("the title must be words on one line")
    return title.strip()


def _check_description(description: str) -> str:
    if not description.isprintable():
        raise ListNameRefused("the description must be words on one line")
    return description.strip()


def _check_language(language: str) -> str:
    if (tag := parse_language(language)) is None:
        raise ListNameRefused(f"{language!r} is not a language tag like en or tr")
    return tag


def _check_owner(app: App, owner: str) -> str:
    address = parse_address(owner)
    if address.domain == app.site.domain:
        raise AddressRefused(f"{owner} is in this service's own domain: mail to the owner would come back to us")
    return address.addr_spec


def _check_testers(testers: Sequence[str]) -> list[str]:
    """The testers' addresses, each once, in their order."""
    by_key = {address.key: address.addr_spec for address in map(parse_address, testers)}
    if len(by_key) > MAX_TESTERS:
        raise AddressRefused(f"{len(by_key)} testers are too many; the most is {MAX_TESTERS}")
    return list(by_key.values())
