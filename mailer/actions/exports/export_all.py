"""Export a list, or all lists, whole: people, consents, suppressions, settings, campaigns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection

from mailer.actions.exports.archive_file import ARCHIVE, write_archive_file
from mailer.actions.exports.campaign_files import write_campaign_files
from mailer.actions.exports.list_file import write_list_file
from mailer.actions.exports.new_folder import new_folder, write_file
from mailer.actions.exports.people_files import write_people_files
from mailer.actions.exports.readme import write_readme
from mailer.app import App
from mailer.domain.accounts.actor import Actor
from mailer.domain.accounts.audit import SITE, Act
from mailer.domain.accounts.role import Permission
from mailer.domain.mailing_list import MailingList
from mailer.store import mailing_lists
from mailer.store.accounts import audit_log


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedList:
    """What an export has of one list."""

    list_name: str
    people: int
    suppressions: int
    campaigns: int
    problems: tuple[str, ...] = ()
    """What could not be exported, one text each."""
    left_out: int = 0
    """People whom an export for other software leaves out, since it has no way to say that they get no letters."""


async def export_all(
    app: App,
    actor: Actor,
    *,
    list_name: str | None,
    folder: Path,
    progress: Callable[[str, int], None] = lambda _name, _people: None,
) -> tuple[ExportedList, ...]:
    """Export a list into a new folder; with None all lists, each into a folder of its name in there.

    The folder is there only once it is complete. `progress` is told how many people of a list are written. The audit
    log has who began it. Raises NotFound, NotPermitted, AlreadyExists for a folder with something in it, and
    ExportFailed where the disk fails.
    """
    lists = await app.database.read(permitted_lists, actor, list_name)
    with new_folder(folder) as temporary:
        await app.database.write(record_export, app, actor, list_name, lists, "everything")
        return tuple(
            [await _export_list(app, one, temporary if list_name else temporary / one.name, progress) for one in lists]
        )


def permitted_lists(tx: Connection, actor: Actor, list_name: str | None) -> list[MailingList]:
    """The list of that name, None: all. Raises NotFound and NotPermitted."""
    if list_name is None:
        actor.require(Permission.MANAGE_SITE)
        return mailing_lists.list_all(tx)
    found = mailing_lists.get_by_name(tx, list_name)
    actor.require(Permission.MANAGE_LIST, found.id)
    return [found]


def record_export(
    tx: Connection, app: App, actor: Actor, list_name: str | None, lists: list[MailingList], what: str
) -> None:
    """Write who exports what into the audit log."""
    audit_log.record(
        tx,
        actor,
        Act.EXPORT_ALL,
        subject=SITE if list_name is None else f"list {list_name}",
        mailing_list_id=None if list_name is None else lists[0].id,
        after={"files": what},
        now=app.clock(),
    )


async def _export_list(
    app: App, mailing_list: MailingList, folder: Path, progress: Callable[[str, int], None]
) -> ExportedList:
    await asyncio.to_thread(folder.mkdir, 0o700, exist_ok=True)
    people, suppressions = await write_people_files(
        app, mailing_list, folder, lambda written: progress(mailing_list.name, written)
    )
    write_file(folder / "list.toml", (await write_list_file(app, mailing_list)).encode())
    campaigns, problems = await write_campaign_files(app, mailing_list, folder)
    await write_archive_file(app, mailing_list, folder / ARCHIVE)
    write_file(folder / "README.txt", write_readme(app, mailing_list).encode())
    return ExportedList(
        list_name=mailing_list.name,
        people=people,
        suppressions=suppressions,
        campaigns=campaigns,
        problems=tuple(problems),
    )
